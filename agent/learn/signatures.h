// SPDX-License-Identifier: Apache-2.0
// Chooses the call stacks that a policy names: few, as short as they can be
// without moving many allocations that hold nothing secret.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/learn/evidence.h"
#include "recorder/recording.h"

namespace pagewarden {

struct LearnedSignature {
  std::vector<recording::Frame> frames;  // innermost first
  uint64_t live = 0;                     // copies, as in StackEvidence
  uint64_t stale = 0;
  uint64_t moved = 0;  // allocations with these frames, secret or not

  uint64_t Copies() const { return live + stale; }
};

struct SignatureChoice {
  std::vector<LearnedSignature> chosen;
  std::vector<LearnedSignature> too_common;  // would exceed the budget
};

// `budget`: the share of all `allocations` that the chosen ones together may move.
SignatureChoice ChooseSignatures(const std::vector<StackEvidence>& evidence,
                                 const std::vector<recording::Stack>& stacks, uint64_t allocations,
                                 double budget);

}  // namespace pagewarden
