// SPDX-License-Identifier: Apache-2.0
// Processes that lock and pin known amounts, for audit_sources_test.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace pagewarden {

// What one process does, and so what the audit must say about it.
struct Locker {
  std::string cgroup;  // below the hierarchy's mount point
  std::string comm;    // at most 15 bytes
  uint64_t locked_bytes = 0;
  uint64_t pinned_bytes = 0;  // io_uring registered buffers; needs drop_user
  uint64_t soft_limit = 0;    // set after locking, so it may be below it
  uint64_t hard_limit = 0;
  bool drop_user = false;        // setresuid to nobody: no capability is left
  bool drop_capability = false;  // CAP_IPC_LOCK out of the effective set
  bool user_namespace = false;   // keeps the capability, but only in its own namespace

  pid_t pid = 0;
};

constexpr uid_t kNobody = 65534;

// True where io_uring can register buffers here as nobody (sysctl, seccomp).
bool CanPin();

// Forks a process, moves it to `cgroup_directory`, makes it what `locker` says
// and leaves it sleeping. False: one of its steps failed.
bool StartLocker(Locker& locker, const std::string& cgroup_directory);

// Kills and reaps the process.
void StopLocker(Locker& locker);

}  // namespace pagewarden
