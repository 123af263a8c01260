// SPDX-License-Identifier: Apache-2.0
// One process of the audit, whichever source it was read from.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "agent/shim/shim_state.h"

namespace pagewarden {

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
  std::string cgroup;  // path in the hierarchy of agent/cgroup/hierarchy.h

  // VmLck minus the mappings that are locked, both read at one moment. Above 0:
  // the kernel's counter leaked (mremap on 6.16 to 7.1), or a device holds DMA
  // memory for it (vfio). The limit is checked against VmLck all the same.
  int64_t drift_bytes = 0;

  bool reconciled = false;  // BPF did not show it, /proc did

  bool shim_loaded = false;       // libpagewarden.so is mapped
  std::optional<ShimState> shim;  // nullopt: not loaded, or its ledger is not valid
};

}  // namespace pagewarden
