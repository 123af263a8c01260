// SPDX-License-Identifier: Apache-2.0
// Which processes a policy says to fence, which of them are not, why, and what else
// protects their memory then.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "agent/policy/model.h"

namespace pagewarden {

enum class CoverageState {
  kCovered,    // the shim is active under that policy
  kPending,    // covered, but the newest policies are not (wholly) in force: see `reason`
  kUncovered,  // see `reason`
};

struct CoveredProcess {
  pid_t pid = 0;
  std::string comm;
  std::string exe;
  std::string cgroup;                    // path
  std::string policy;                    // that selects it
  abi::Mode mode = abi::Mode::kEnforce;  // effective, of that policy
  CoverageState state = CoverageState::kUncovered;
  // A stable word, the label of the metric: "static", "started_before", …
  // (agent/coverage/reasons.h has all). Empty: covered.
  std::string reason;
  std::string text;  // one sentence: why, and the next step
  // What holds all the same, one phrase each: "its cgroup may not swap",
  // "swap is encrypted", "no swap", "no core dumps".
  std::vector<std::string> protections;
};

// Only processes that a policy with a mode above Disabled selects, by pid.
struct CoverageReport {
  std::vector<CoveredProcess> processes;
};

struct CoverageCounts {
  size_t selected = 0;
  size_t covered = 0;
  size_t pending = 0;
  size_t uncovered = 0;
};

CoverageCounts CountCoverage(const CoverageReport& report);

// Null: no policy selects that process.
const CoveredProcess* FindCovered(const CoverageReport& report, pid_t pid);

const char* CoverageWord(CoverageState state);  // "covered", "pending", "uncovered"

}  // namespace pagewarden
