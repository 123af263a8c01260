// SPDX-License-Identifier: Apache-2.0
// All processes from BPF, as rows. Keeps its programs loaded for the next time.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/audit/process_row.h"
#include "agent/bpf/hook_report.h"
#include "agent/bpf/task_snapshot.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/cgroup/path_cache.h"

namespace pagewarden {

struct BpfRows {
  std::vector<ProcessRow> rows;       // by pid
  std::map<uid_t, uint64_t> residue;  // see Snapshot::residue
  // Processes whose main thread has ended and that live on in others: not in `rows`.
  std::vector<pid_t> without_leader;
};

// One record as a row, the cgroup left empty.
ProcessRow RowOf(const task_record& record);

class BpfSource {
 public:
  // Errors of TaskSnapshot::Open; `hierarchy` outlives this and may be null: the
  // cgroups are then "/".
  static absl::StatusOr<BpfSource> Open(const CgroupHierarchy* hierarchy);

  // Not thread-safe.
  absl::StatusOr<BpfRows> Read(absl::Time now);

  HookReport Report() const { return snapshot_.Report(); }

 private:
  BpfSource(TaskSnapshot snapshot, const CgroupHierarchy* hierarchy)
      : snapshot_(std::move(snapshot)), cgroups_(hierarchy) {}

  TaskSnapshot snapshot_;
  CgroupPathCache cgroups_;
};

}  // namespace pagewarden
