// SPDX-License-Identifier: Apache-2.0
// All processes from BPF, as rows. Keeps its programs loaded for the next time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/audit/process_row.h"
#include "agent/audit/quiet_processes.h"
#include "agent/audit/snapshot.h"
#include "agent/bpf/hook_report.h"
#include "agent/bpf/task_snapshot.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/cgroup/path_cache.h"

namespace pagewarden {

struct BpfRows {
  std::vector<ProcessRow> rows;       // by pid
  std::map<uid_t, uint64_t> residue;  // see Snapshot::residue
  IpcUse ipc_use;                     // of all processes
  std::map<std::string, QuietSums> quiet;
  std::map<pid_t, ProcessLimits> limits_before;  // see Snapshot::limits_before
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

  // Not thread-safe. Null: a row of every process; else quiet ones have none, except these.
  absl::StatusOr<BpfRows> Read(absl::Time now, const absl::flat_hash_set<pid_t>* rows_of);

  // Whether the last Read has seen the process and made no row of it.
  bool IsQuiet(pid_t pid) const { return quiet_.Contains(pid); }

  // Call after each Read, with the rows of it that show nothing, by pid: they get no row
  // until they change.
  void SetQuiet(const std::vector<pid_t>& pids);

  HookReport Report() const { return snapshot_.Report(); }

 private:
  BpfSource(TaskSnapshot snapshot, const CgroupHierarchy* hierarchy)
      : snapshot_(std::move(snapshot)), cgroups_(hierarchy) {}

  TaskSnapshot snapshot_;
  CgroupPathCache cgroups_;
  QuietProcesses quiet_;
  std::vector<const task_record*> records_;  // of the last Read, by pid
};

}  // namespace pagewarden
