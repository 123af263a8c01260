// SPDX-License-Identifier: Apache-2.0
// Every process of the machine in one pass: bpf/task_walk where the kernel has
// open-coded iterators (6.7), else bpf/task_snapshot (iter/task, 5.8).
//
//   auto snapshot = TaskSnapshot::Open(hierarchy.version());
//   if (!snapshot.ok()) FallBackToProc(snapshot.status());
//   auto records = snapshot->Read();
#pragma once

#include <linux/types.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "agent/bpf/hook_report.h"
#include "agent/cgroup/hierarchy.h"
#include "bpf/task_record.h"

namespace pagewarden {

enum class TaskHook { kBest, kWalk, kIterator };

class TaskSnapshot {
 public:
  // Loads and attaches the program; `version` says which cgroup ids to read,
  // nullopt none. Unimplemented: built without BPF; PermissionDenied: needs
  // CAP_BPF and CAP_PERFMON; other errors: this kernel cannot run it. The
  // message says why in one line.
  static absl::StatusOr<TaskSnapshot> Open(std::optional<CgroupVersion> version,
                                           TaskHook hook = TaskHook::kBest);

  TaskSnapshot(TaskSnapshot&&) noexcept;
  TaskSnapshot& operator=(TaskSnapshot&&) noexcept;
  ~TaskSnapshot();

  // One pass over the processes of the caller's pid namespace, kernel threads
  // and zombies left out, each of them once. Each record is read whole, but they
  // are of slightly different moments. Valid until the next call. Not thread-safe.
  absl::StatusOr<absl::Span<const task_record>> Read() const;

  HookReport Report() const;

 private:
  struct Program;
  explicit TaskSnapshot(std::unique_ptr<Program> program);

  std::unique_ptr<Program> program_;
};

}  // namespace pagewarden
