// SPDX-License-Identifier: Apache-2.0
// The locked mappings of every process that locks any, in one pass:
// bpf/locked_vmas_walk, else bpf/locked_vmas (iter/task_vma, 5.12).
#pragma once

#include <linux/types.h>

#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "agent/bpf/hook_report.h"
#include "bpf/locked_vmas/locked_vmas.h"

namespace pagewarden {

class LockedVmas {
 public:
  // Errors of TaskSnapshot::Open.
  static absl::StatusOr<LockedVmas> Open();

  LockedVmas(LockedVmas&&) noexcept;
  LockedVmas& operator=(LockedVmas&&) noexcept;
  ~LockedVmas();

  // By pid. Each record is of one moment: a process that would not hold still, or
  // whose main thread has ended, is left out. Not thread-safe.
  absl::StatusOr<absl::flat_hash_map<__u32, locked_vmas_record>> Read();

  HookReport Report() const;

 private:
  struct Program;
  explicit LockedVmas(std::unique_ptr<Program> program);

  std::unique_ptr<Program> program_;
};

}  // namespace pagewarden
