// SPDX-License-Identifier: Apache-2.0
// What was seen between snapshots. A single snapshot has seen none of it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

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

// A pid alone may be another process's by now.
struct SampledPeak {
  uint64_t start_time_ns = 0;  // of ProcessRow
  uint64_t bytes = 0;
};

struct Observations {
  absl::Duration watched;                         // 0: a single snapshot, which sees no denials
  std::map<pid_t, Peak> process_peaks;            // of hooks, for the processes that live
  std::map<pid_t, SampledPeak> sampled_peaks;     // of the snapshots before
  std::map<std::string, Peak> cgroup_peaks;       // of a cgroup's own processes
  std::map<std::string, uint64_t> subtree_peaks;  // of the sums in those snapshots
  std::map<std::string, DenialCounts> denials;    // by cgroup
  std::vector<HookReport> hooks;
};

}  // namespace pagewarden
