// SPDX-License-Identifier: Apache-2.0
// Stands in for task_snapshot.cc in a build with -Dbpf=disabled.
#include "agent/bpf/task_snapshot.h"

namespace pagewarden {

struct TaskSnapshot::Program {};

TaskSnapshot::TaskSnapshot(std::unique_ptr<Program> program) : program_(std::move(program)) {}
TaskSnapshot::TaskSnapshot(TaskSnapshot&&) noexcept = default;
TaskSnapshot& TaskSnapshot::operator=(TaskSnapshot&&) noexcept = default;
TaskSnapshot::~TaskSnapshot() = default;

absl::StatusOr<TaskSnapshot> TaskSnapshot::Open(std::optional<CgroupVersion>) {
  return absl::UnimplementedError("this pagewarden was built without BPF");
}

absl::StatusOr<std::vector<task_record>> TaskSnapshot::Read() const {
  return absl::UnimplementedError("this pagewarden was built without BPF");
}

}  // namespace pagewarden
