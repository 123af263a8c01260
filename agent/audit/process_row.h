// SPDX-License-Identifier: Apache-2.0
// One process of the audit, whichever source it was read from.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "agent/base/boxed.h"
#include "agent/shim/shim_state.h"

namespace pagewarden {

// Bytes of the mappings that are VM_LOCKED, by what is mapped. They need not be resident.
struct LockedMappings {
  uint64_t anonymous_bytes = 0;  // beside heap and stack
  uint64_t heap_bytes = 0;       // of brk(2)
  uint64_t stack_bytes = 0;      // of the main thread
  uint64_t file_bytes = 0;
  uint64_t shmem_bytes = 0;   // tmpfs, memfd, System V, shared anonymous
  uint64_t secret_bytes = 0;  // memfd_secret
  // Part of the above: locked when touched (MLOCK_ONFAULT). /proc does not tell.
  std::optional<uint64_t> on_fault_bytes;

  uint64_t TotalBytes() const {
    return anonymous_bytes + heap_bytes + stack_bytes + file_bytes + shmem_bytes + secret_bytes;
  }
};

enum class SeccompMode { kNone = 0, kStrict = 1, kFilter = 2 };

struct ProcessRow {
  pid_t pid = 0;
  std::string comm;           // raw: any byte but NUL
  std::string exe;            // target of /proc/PID/exe, empty where it cannot be read
  uid_t uid = 0;              // effective
  uint64_t locked_bytes = 0;  // mm->locked_vm, VmLck
  uint64_t pinned_bytes = 0;  // mm->pinned_vm, VmPin
  std::optional<uint64_t> soft_limit_bytes;  // RLIMIT_MEMLOCK; nullopt: unlimited
  std::optional<uint64_t> hard_limit_bytes;
  // CAP_IPC_LOCK is effective and counts: the kernel asks the initial user
  // namespace (mm/mlock.c, can_do_mlock), so it lifts the limit only there.
  bool cap_ipc_lock = false;
  std::string cgroup;      // path in the hierarchy of agent/cgroup/hierarchy.h
  uint64_t cgroup_id = 0;  // inode of its directory; 0: unknown. BPF only

  uid_t real_uid = 0;             // whose user_struct is charged
  uint64_t total_bytes = 0;       // mm->total_vm, VmSize: what mlockall compares
  uint64_t peak_total_bytes = 0;  // VmPeak: no MCL_FUTURE process ever locked more
  uint64_t cap_effective = 0;     // bit n: capability n
  uint64_t cap_permitted = 0;
  uint64_t cap_bounding = 0;
  bool in_initial_user_ns = true;
  SeccompMode seccomp = SeccompMode::kNone;
  bool no_new_privs = false;
  // mlockall(MCL_FUTURE) is in force; nullopt: /proc does not tell.
  std::optional<bool> locks_future;
  // SHM_LOCK, SHM_HUGETLB and the like of this user in its user namespace, in all
  // processes (ucounts); nullopt: no BPF, or a kernel before 5.14.
  std::optional<uint64_t> user_shm_locked_bytes;
  // Since boot, of the process's start; 0: unknown. With the pid it names one process,
  // with the number of its execs one program in it. BPF only.
  uint64_t start_time_ns = 0;
  uint64_t exec_id = 0;
  uint64_t executable_bytes = 0;  // mapped as such: changes when a library is
  uint32_t ipc_namespace = 0;     // inode of /proc/PID/ns/ipc; 0: not readable

  // VmLck minus the mappings that are locked, both read at one moment. Above 0:
  // the kernel's counter leaked (mremap on 6.16 to 7.1), or a device holds DMA
  // memory for it (vfio). The limit is checked against VmLck all the same.
  int64_t drift_bytes = 0;
  std::optional<LockedMappings> locked_mappings;  // nullopt: nothing locked, or not readable

  bool reconciled = false;  // BPF did not show it, /proc did

  bool shim_loaded = false;      // libpagewarden.so is mapped
  bool shim_unreadable = false;  // it is, and the rights to read its ledger are missing
  Boxed<ShimState> shim;         // nullopt: not loaded, or its ledger is not valid
};

}  // namespace pagewarden
