// SPDX-License-Identifier: Apache-2.0
// What the snapshot leaves out because it costs more: the executable and the state
// of the shim. What does not change is kept from one snapshot to the next.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "agent/audit/failures.h"
#include "agent/audit/process_row.h"
#include "agent/bpf/shim_walk.h"

namespace pagewarden {

// Not thread-safe.
class ProcessDetails {
 public:
  // Without BPF the mappings of each process are read from /proc. The program is
  // loaded when it is first needed.
  explicit ProcessDetails(bool use_bpf) : use_bpf_(use_bpf) {}

  // Fills exe, shim_loaded and shim. `rows` are in order of their pids. `failures` gets
  // those that may have the shim and cannot be read. `all`: what has no row has ended, and
  // is forgotten.
  void Add(std::vector<ProcessRow>& rows, bool all, Failures& failures);

  // Whether the last Add could not tell of that process and the next one must.
  bool IsUnknown(pid_t pid) const { return still_unknown_.contains(pid); }

  std::optional<HookReport> Report() const;

 private:
  // One program in one process, and the code it has mapped: a library that comes later
  // is seen in executable_bytes.
  struct Known {
    uint64_t start_time_ns = 0;
    uint64_t exec_id = 0;
    uint64_t executable_bytes = 0;
    bool has_shim = false;
    std::string exe;

    bool Matches(const ProcessRow& row) const;
  };

  void Recall(std::vector<ProcessRow>& rows, std::vector<size_t>& unknown) const;
  void FindShims(std::vector<ProcessRow>& rows, const std::vector<size_t>& unknown,
                 Failures& failures);
  bool LoadWalk();
  bool FindByWalking(std::vector<ProcessRow>& rows, const std::vector<size_t>& unknown);
  Failures FindByReading(std::vector<ProcessRow>& rows, const std::vector<size_t>& unknown);
  void Remember(const std::vector<ProcessRow>& rows, bool all);

  bool use_bpf_;
  std::optional<ShimWalk> bpf_;
  absl::flat_hash_map<pid_t, Known> known_;
  absl::flat_hash_set<pid_t> still_unknown_;  // of this round: could not be looked at
};

}  // namespace pagewarden
