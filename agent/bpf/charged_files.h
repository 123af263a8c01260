// SPDX-License-Identifier: Apache-2.0
// Open files whose memory is charged to a user (bpf/charged_files, iter/task_file).
#pragma once

#include <linux/types.h>

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/bpf/hook_report.h"
#include "bpf/charged_files/charged_files.h"

namespace pagewarden {

class ChargedFiles {
 public:
  // Errors of TaskSnapshot::Open.
  static absl::StatusOr<ChargedFiles> Open();

  ChargedFiles(ChargedFiles&&) noexcept;
  ChargedFiles& operator=(ChargedFiles&&) noexcept;
  ~ChargedFiles();

  // One record a descriptor, of all processes. It visits every open file of the
  // machine. Not thread-safe.
  absl::StatusOr<std::vector<charged_file>> Read();

  HookReport Report() const;

 private:
  struct Program;
  explicit ChargedFiles(std::unique_ptr<Program> program);

  std::unique_ptr<Program> program_;
};

}  // namespace pagewarden
