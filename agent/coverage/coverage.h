// SPDX-License-Identifier: Apache-2.0
// Which processes a policy says to fence, which of them are not, why, and what else
// protects their memory then.
#pragma once

#include <sys/types.h>

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
  // Stable words, the label of the metric: "static", "secure_exec", "wrong_class", "libc",
  // "shadowed", "started_before", "not_preloaded", "lock_failed", "no_image", "invalid_image",
  // "other_policy", "stale_policy", "needs_restart", "disabled", "unreadable", …
  std::string reason;  // empty: covered
  std::string text;    // one sentence: why, and the next step
  // What holds all the same, one phrase each: "its cgroup may not swap",
  // "swap is encrypted", "no swap", "no core dumps".
  std::vector<std::string> protections;
};

// Only processes that a policy with a mode above Disabled selects, by pid.
struct CoverageReport {
  std::vector<CoveredProcess> processes;
};

const char* CoverageWord(CoverageState state);  // "covered", "pending", "uncovered"

}  // namespace pagewarden
