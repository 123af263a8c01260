// SPDX-License-Identifier: Apache-2.0
// Every process of the machine in one pass of a BPF task iterator
// (bpf/task_snapshot; bpf_iter in the kernel since 5.8).
//
//   auto snapshot = TaskSnapshot::Open(hierarchy.version());
//   if (!snapshot.ok()) FallBackToProc(snapshot.status());
//   auto records = snapshot->Read();
#pragma once

#include <linux/types.h>

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/cgroup/hierarchy.h"
#include "bpf/task_record.h"

namespace pagewarden {

class TaskSnapshot {
 public:
  // Loads and attaches the program; `version` says which cgroup ids to read,
  // nullopt none. Unimplemented: built without BPF; PermissionDenied: needs
  // CAP_BPF and CAP_PERFMON; other errors: this kernel cannot run it. The
  // message says why in one line.
  static absl::StatusOr<TaskSnapshot> Open(std::optional<CgroupVersion> version);

  TaskSnapshot(TaskSnapshot&&) noexcept;
  TaskSnapshot& operator=(TaskSnapshot&&) noexcept;
  ~TaskSnapshot();

  // One pass over the processes of the caller's pid namespace, kernel threads
  // and zombies left out. Each record is read whole, but they are of slightly
  // different moments. Thread-safe.
  absl::StatusOr<std::vector<task_record>> Read() const;

 private:
  struct Program;
  explicit TaskSnapshot(std::unique_ptr<Program> program);

  std::unique_ptr<Program> program_;
};

}  // namespace pagewarden
