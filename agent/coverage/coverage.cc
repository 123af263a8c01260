// SPDX-License-Identifier: Apache-2.0
#include "agent/coverage/coverage.h"

namespace pagewarden {

const char* CoverageWord(CoverageState state) {
  switch (state) {
    case CoverageState::kCovered:
      return "covered";
    case CoverageState::kPending:
      return "pending";
    case CoverageState::kUncovered:
      return "uncovered";
  }
  return "uncovered";
}

}  // namespace pagewarden
