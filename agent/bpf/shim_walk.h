// SPDX-License-Identifier: Apache-2.0
// Which processes have libpagewarden.so mapped, without reading /proc/PID/maps of
// each (bpf/shim_walk).
#pragma once

#include <linux/types.h>

#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "agent/bpf/hook_report.h"
#include "bpf/shim_walk/shim_walk.h"

namespace pagewarden {

class ShimWalk {
 public:
  // Errors of TaskSnapshot::Open; there is no second-best program.
  static absl::StatusOr<ShimWalk> Open();

  ShimWalk(ShimWalk&&) noexcept;
  ShimWalk& operator=(ShimWalk&&) noexcept;
  ~ShimWalk();

  // Those that have it, and those that could not be looked at just now. Valid until
  // the next call. Not thread-safe.
  absl::StatusOr<absl::Span<const shim_task>> Read();

  HookReport Report() const;

 private:
  struct Program;
  explicit ShimWalk(std::unique_ptr<Program> program);

  std::unique_ptr<Program> program_;
};

}  // namespace pagewarden
