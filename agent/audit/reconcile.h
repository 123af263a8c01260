// SPDX-License-Identifier: Apache-2.0
// BPF's counters against those of /proc: two ways to the same numbers.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "agent/audit/snapshot_reader.h"

namespace pagewarden {

struct CounterDifference {
  pid_t pid = 0;
  std::string comm;
  std::string cgroup;
  std::string figure;  // "VmLck" or "VmPin"
  uint64_t bpf_bytes = 0;
  uint64_t proc_bytes = 0;
};

// Compares each process of a BPF snapshot that locks or pins anything with its
// /proc/PID/status. The two are read at different moments, so a difference is looked at
// again: it counts where /proc says the same before and after BPF says something else.
// `reader` is the one that took the snapshot. Empty for a snapshot from /proc.
std::vector<CounterDifference> Reconcile(const Snapshot& snapshot, SnapshotReader& reader);

}  // namespace pagewarden
