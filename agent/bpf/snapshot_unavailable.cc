// SPDX-License-Identifier: Apache-2.0
// Stands in for the loaders of the snapshot in a build with -Dbpf=disabled.
#include <utility>

#include "agent/bpf/charged_files.h"
#include "agent/bpf/locked_vmas.h"
#include "agent/bpf/shim_walk.h"
#include "agent/bpf/task_snapshot.h"

namespace pagewarden {
namespace {

absl::Status WithoutBpf() {
  return absl::UnimplementedError("this pagewarden was built without BPF");
}

}  // namespace

struct TaskSnapshot::Program {};
TaskSnapshot::TaskSnapshot(std::unique_ptr<Program> program) : program_(std::move(program)) {}
TaskSnapshot::TaskSnapshot(TaskSnapshot&&) noexcept = default;
TaskSnapshot& TaskSnapshot::operator=(TaskSnapshot&&) noexcept = default;
TaskSnapshot::~TaskSnapshot() = default;
absl::StatusOr<TaskSnapshot> TaskSnapshot::Open(std::optional<CgroupVersion>, TaskHook) {
  return WithoutBpf();
}
absl::StatusOr<absl::Span<const task_record>> TaskSnapshot::Read() const { return WithoutBpf(); }
HookReport TaskSnapshot::Report() const { return {}; }

struct LockedVmas::Program {};
LockedVmas::LockedVmas(std::unique_ptr<Program> program) : program_(std::move(program)) {}
LockedVmas::LockedVmas(LockedVmas&&) noexcept = default;
LockedVmas& LockedVmas::operator=(LockedVmas&&) noexcept = default;
LockedVmas::~LockedVmas() = default;
absl::StatusOr<LockedVmas> LockedVmas::Open() { return WithoutBpf(); }
absl::StatusOr<absl::flat_hash_map<__u32, locked_vmas_record>> LockedVmas::Read() {
  return WithoutBpf();
}
HookReport LockedVmas::Report() const { return {}; }

struct ShimWalk::Program {};
ShimWalk::ShimWalk(std::unique_ptr<Program> program) : program_(std::move(program)) {}
ShimWalk::ShimWalk(ShimWalk&&) noexcept = default;
ShimWalk& ShimWalk::operator=(ShimWalk&&) noexcept = default;
ShimWalk::~ShimWalk() = default;
absl::StatusOr<ShimWalk> ShimWalk::Open() { return WithoutBpf(); }
absl::StatusOr<absl::Span<const shim_task>> ShimWalk::Read() { return WithoutBpf(); }
HookReport ShimWalk::Report() const { return {}; }

struct ChargedFiles::Program {};
ChargedFiles::ChargedFiles(std::unique_ptr<Program> program) : program_(std::move(program)) {}
ChargedFiles::ChargedFiles(ChargedFiles&&) noexcept = default;
ChargedFiles& ChargedFiles::operator=(ChargedFiles&&) noexcept = default;
ChargedFiles::~ChargedFiles() = default;
absl::StatusOr<ChargedFiles> ChargedFiles::Open() { return WithoutBpf(); }
absl::StatusOr<std::vector<charged_file>> ChargedFiles::Read() { return WithoutBpf(); }
HookReport ChargedFiles::Report() const { return {}; }

}  // namespace pagewarden
