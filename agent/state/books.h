// SPDX-License-Identifier: Apache-2.0
// What must never go down: peaks and counts, over the end of processes and over
// restarts of the agent.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "absl/time/time.h"
#include "agent/shim/shim_state.h"

namespace pagewarden {

struct CgroupBook {
  uint64_t cgroup_id = 0;                   // inode of its directory: another one is another cgroup
  uint64_t peak_locked_bytes = 0;           // of the sum over its own processes
  std::map<std::string, uint64_t> denials;  // by VerdictCode, "OVER_LIMIT.HARD", …
  uint64_t oom_kills = 0;
  absl::Time last_seen;
};

struct RuleBook {
  uint64_t allocations = 0;
  uint64_t frees = 0;
};

struct PolicyBook {
  std::map<std::string, RuleBook> rules;
  FallbackCounts fallbacks = {};
  ViolationCounts violations = {};
  uint64_t guard_hits = 0;
};

struct Books {
  std::map<std::string, CgroupBook> cgroups;      // by path
  std::map<std::string, PolicyBook> policies;     // by name
  std::map<std::string, uint64_t> shims_skipped;  // processes, by reason (agent/coverage)
};

}  // namespace pagewarden
