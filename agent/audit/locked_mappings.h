// SPDX-License-Identifier: Apache-2.0
// What VmLck counts, mapping by mapping: by kind, and the drift.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/audit/failures.h"
#include "agent/audit/process_row.h"
#include "agent/bpf/locked_vmas.h"
#include "agent/proc/mappings.h"

namespace pagewarden {

// Of those that smaps says are locked; the names say what is mapped.
LockedMappings SumLocked(const std::vector<Mapping>& mappings);

// Bytes of `locked_bytes` that no locked mapping accounts for.
int64_t DriftOf(uint64_t locked_bytes, const LockedMappings& mappings);

// Of one process from smaps, which walks its page tables. Sets locked_bytes to what
// it was at that moment. A process that never holds still keeps no drift. NotFound:
// it is gone; PermissionDenied: needs the same user or CAP_SYS_PTRACE.
absl::Status AddLockedMappingsFromProc(ProcessRow& row);

// The same for all processes: by one BPF program for those that lock anything, and
// only if any of them has moved since the last time. Not thread-safe.
class LockedMappingsReader {
 public:
  // Without BPF all is read from /proc. The program is loaded when it is first needed.
  explicit LockedMappingsReader(bool use_bpf) : use_bpf_(use_bpf) {}

  // Rows that BPF has nothing on are read from /proc; `failures` gets those that
  // cannot be.
  void Add(absl::Time now, std::vector<ProcessRow>& rows, Failures& failures);

  std::optional<HookReport> Report() const;

 private:
  struct Known {
    uint64_t start_time_ns = 0;
    uint64_t locked_bytes = 0;
    uint64_t total_bytes = 0;
    LockedMappings mappings;
    int64_t drift_bytes = 0;
  };

  bool AllKnown(absl::Time now, const std::vector<ProcessRow>& rows) const;
  void Refresh(absl::Time now, std::vector<ProcessRow>& rows);
  absl::StatusOr<absl::flat_hash_map<__u32, locked_vmas_record>> ReadBpf();
  // nullptr: it is new, or its books have moved.
  const Known* Find(const ProcessRow& row) const;
  bool Recall(ProcessRow& row) const;

  bool use_bpf_;
  std::optional<LockedVmas> bpf_;
  absl::flat_hash_map<pid_t, Known> known_;
  absl::Time read_ = absl::InfinitePast();
};

}  // namespace pagewarden
