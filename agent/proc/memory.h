// SPDX-License-Identifier: Apache-2.0
// Reads another process's memory through /proc/PID/mem (proc(5)).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"

namespace pagewarden {

class ProcessMemory {
 public:
  // PermissionDenied: needs PTRACE_MODE_ATTACH, that is the same user and a
  // dumpable process, or CAP_SYS_PTRACE (ptrace(2)).
  static absl::StatusOr<ProcessMemory> Open(pid_t pid);

  ProcessMemory(ProcessMemory&& other) noexcept;
  ProcessMemory& operator=(ProcessMemory&& other) noexcept;
  ~ProcessMemory();

  // Reads up to `bytes` from `address`; returns how many came before the first
  // unreadable page. 0 means that page is the first one.
  size_t Read(uint64_t address, void* buffer, size_t bytes) const;

 private:
  explicit ProcessMemory(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace pagewarden
