// SPDX-License-Identifier: Apache-2.0
// What decides whether a process can lock memory and has the shim, read from /proc.
// Everything read is another process's word: checked, bounded, and named when it
// cannot be had.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/doctor/memory_budget.h"
#include "agent/proc/status.h"
#include "agent/shim/shim_state.h"

namespace pagewarden {

struct CoreDumpFacts {
  uint64_t limit_bytes = 0;     // soft RLIMIT_CORE; all ones: unlimited
  bool filter_is_zero = false;  // coredump_filter: no mapping is dumped
};

struct ProcessFacts {
  pid_t pid = 0;
  pid_t parent = 0;
  std::string comm;  // printable
  std::string exe;   // as the process's own mount namespace names it; may be empty
  uid_t uid = 0;     // effective
  uid_t real_uid = 0;
  gid_t gid = 0;
  gid_t real_gid = 0;

  MemlockLimits limits;
  CoreDumpFacts core;
  uint64_t cap_effective = 0;
  uint64_t cap_permitted = 0;
  uint64_t cap_bounding = 0;
  bool no_new_privs = false;
  int seccomp_mode = 0;  // 0 none, 1 strict, 2 filter
  bool in_initial_user_ns = true;
  std::string security_label;  // of AppArmor or SELinux; empty: no such module

  uint64_t locked_bytes = 0;  // VmLck
  uint64_t pinned_bytes = 0;  // VmPin
  uint64_t total_bytes = 0;   // VmSize
  uint64_t swapped_bytes = 0;
  uint64_t parent_locked_bytes = 0;  // VmLck of a parent that runs the same executable
  std::optional<uint64_t> locked_mappings_bytes;
  std::optional<uint64_t> map_count;
  std::string purging_allocator;  // a library whose malloc gives back pages by madvise(2)
  uint64_t max_map_count = 65530;
  std::optional<uint64_t> shm_locked_bytes;  // of the uid, in the ipc namespace of the reader

  std::string cgroup_text;  // /proc/PID/cgroup
  MemoryBudget memory;

  std::optional<bool> secure_execution;  // AT_SECURE; absent: could not be read
  bool shim_loaded = false;
  std::optional<ShimState> shim;
  std::string preload;  // LD_PRELOAD it was started with

  std::vector<std::string> unreadable;  // "/proc/12/auxv: Permission denied"

  bool HasUsableIpcLock() const;
};

// NotFound: no such process. FailedPrecondition: a kernel thread or a zombie.
// `hierarchy` may be null.
absl::StatusOr<ProcessFacts> ReadProcessFacts(pid_t pid, const CgroupHierarchy* hierarchy);

// What cannot be read counts as if dumps were written.
CoreDumpFacts ReadCoreDumpFacts(pid_t pid);

// Bytes of System V segments that are locked and were made by `uid`: SHM_LOCK is
// counted by user. Pages of `text`, that of /proc/sysvipc/shm.
uint64_t ShmLockedBytes(const std::string& text, uid_t uid);

// CAP_IPC_LOCK in a set of capabilities.
bool HasIpcLock(uint64_t set);

}  // namespace pagewarden
