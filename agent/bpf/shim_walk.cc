// SPDX-License-Identifier: Apache-2.0
#include "agent/bpf/shim_walk.h"

#include <utility>

#include "agent/bpf/array_walk.h"
#include "shim_walk.skel.h"

namespace pagewarden {

struct ShimWalk::Program {
  ArrayWalk<shim_walk_bpf, shim_task> walk;
};

ShimWalk::ShimWalk(std::unique_ptr<Program> program) : program_(std::move(program)) {}
ShimWalk::ShimWalk(ShimWalk&&) noexcept = default;
ShimWalk& ShimWalk::operator=(ShimWalk&&) noexcept = default;
ShimWalk::~ShimWalk() = default;

absl::StatusOr<ShimWalk> ShimWalk::Open() {
  HookReport report;
  auto walk = ArrayWalk<shim_walk_bpf, shim_task>::Open(
      "shim", "bpf_iter_task_vma", [](auto&) {}, report);
  if (!walk.ok()) return walk.status();
  return ShimWalk(std::make_unique<Program>(Program{*std::move(walk)}));
}

absl::StatusOr<absl::Span<const shim_task>> ShimWalk::Read() {
  if (absl::Status status = program_->walk.Run(); !status.ok()) return status;
  return program_->walk.records();
}

HookReport ShimWalk::Report() const { return program_->walk.Report(); }

}  // namespace pagewarden
