// SPDX-License-Identifier: Apache-2.0
// Locked memory that is charged to a user and that no process's VmLck shows.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/proc/sysv_shm.h"

namespace pagewarden {

// Open files of one process that pin memory at the expense of a user.
struct ResidueHolder {
  std::string kind;  // "io_uring", "perf", "af_xdp", "memfd_secret", "bpf": stable words
  pid_t pid = 0;
  std::string comm;
  size_t files = 0;  // of this kind
  // What they charge; nullopt: this kernel does not tell. Files that are shared with another
  // process are in the figure of each of them.
  std::optional<uint64_t> bytes;
};

// The ipc namespaces of some processes, and how much those have locked with SHM_LOCK.
struct IpcUse {
  std::map<uint64_t, pid_t> namespaces;  // by inode: the lowest pid in each
  uint64_t shm_locked_bytes = 0;         // sum over processes: only its changes matter

  void Add(uint64_t ipc_namespace, pid_t pid, uint64_t user_shm_locked_bytes);
  bool operator==(const IpcUse& other) const {
    return namespaces == other.namespaces && shm_locked_bytes == other.shm_locked_bytes;
  }
};

struct UidResidue {
  // user_struct->locked_vm: io_uring, perf, AF_XDP, MSG_ZEROCOPY, memfd_secret by its new
  // accounting, BPF up to 5.10. 0 without BPF: /proc has no such figure.
  uint64_t residue_bytes = 0;
  // Of those, what the open files of `holders` account for, each file once. Less than the
  // whole where a buffer is kept by its mapping or by a packet in flight alone.
  uint64_t explained_bytes = 0;
  uint64_t shm_locked_bytes = 0;       // sum over `segments`
  std::vector<ResidueHolder> holders;  // by pid, then kind
  std::vector<LockedSegment> segments;
};

}  // namespace pagewarden
