// SPDX-License-Identifier: Apache-2.0
// What was seen between snapshots. A single snapshot has seen none of it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "agent/bpf/hook_report.h"
#include "agent/watch/watch.h"

namespace pagewarden {

// Refusals by code (VerdictCode), what CAP_IPC_LOCK let through, and guard hits.
struct DenialCounts {
  std::map<std::string, uint64_t> by_reason;
  uint64_t privileged_bypasses = 0;
  uint64_t guard_hits = 0;

  uint64_t Total() const;  // of the refusals
  bool IsEmpty() const { return Total() + privileged_bypasses + guard_hits == 0; }
  void Add(const DenialCounts& other);
};

// Of the snapshots before. A pid alone may be another process's by now.
struct SampledPeak {
  uint64_t start_time_ns = 0;  // of ProcessRow
  uint64_t bytes = 0;
  uint64_t round = 0;  // of WatchBook
};

// A path alone may be another cgroup's by now.
struct SampledCgroup {
  uint64_t id = 0;  // as in CgroupRow
  uint64_t bytes = 0;
  uint64_t subtree_bytes = 0;  // of the sums with all cgroups below
  uint64_t round = 0;          // of WatchBook
};

struct Observations {
  absl::Duration watched;                          // 0: a single snapshot, which sees no denials
  absl::flat_hash_map<pid_t, Peak> process_peaks;  // of hooks, for the processes that live
  absl::flat_hash_map<pid_t, SampledPeak> sampled_peaks;
  absl::flat_hash_map<std::string, Peak> cgroup_peaks;  // of hooks: of its own processes
  absl::flat_hash_map<std::string, SampledCgroup> sampled_cgroups;
  std::map<std::string, DenialCounts> denials;  // by cgroup
  std::vector<HookReport> hooks;
};

}  // namespace pagewarden
