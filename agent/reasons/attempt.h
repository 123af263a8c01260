// SPDX-License-Identifier: Apache-2.0
// One attempt to lock or pin memory and the kernel's books at that moment:
// observed by BPF (agent/watch), or imagined (doctor: "would 1 MiB be granted?").
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace pagewarden {

enum class LockCall {
  kMlock,
  kMlock2,
  kMlockall,
  kMmap,
  kBrk,
  kMremap,
  kStackGrowth,
  kShmctlLock,
  kShmgetHugetlb,
  kSecretMemoryMap,
  kSecretMemoryFault,
  kPerfMmap,
  kIoUringSetup,
  kIoUringRegister,
  kXdpUmem,
  kZeroCopySend,
  kBpf,
  kRdmaRegister,
  kVfioMap,
  kIommufdMap,
  kVdpaMap,
  kOther,
};

// "mlock2", "mmap", "stack growth", …
const char* LockCallName(LockCall call);

// What lies in the range of the call. Absent: not looked at, or not any more.
struct RangeFacts {
  uint64_t already_locked_bytes = 0;  // overlap: not charged again
  uint64_t hugetlb_bytes = 0;
  bool has_hole = false;
  bool has_unpopulatable = false;  // PROT_NONE, guard marker, VM_IO/PFNMAP, past the file's end
};

struct Attempt {
  LockCall call = LockCall::kOther;
  // Return value as the kernel gives it: 0 or more, or a negative errno. Absent: known
  // is only that the kernel asked for CAP_IPC_LOCK (`capability_asked`).
  std::optional<int64_t> result;
  int signal = 0;              // SIGSEGV, SIGBUS: how a fault told it
  uint64_t address = 0;        // of the range, where the call has one
  uint64_t request_bytes = 0;  // rounded to pages as the kernel does; perf: beyond the free part
  uint64_t flags = 0;          // of mlock2, mlockall, mmap

  std::optional<uint64_t> soft_limit_bytes;  // nullopt: unlimited
  std::optional<uint64_t> hard_limit_bytes;
  uint64_t cap_effective = 0;
  uint64_t cap_permitted = 0;
  uint64_t cap_bounding = 0;
  bool in_initial_user_ns = true;
  int seccomp_mode = 0;  // 0 none, 1 strict, 2 filter

  // Whether the kernel asked for CAP_IPC_LOCK during the call, and what it was told.
  // Absent: no such hook is attached.
  std::optional<bool> capability_asked;
  bool capability_granted = false;
  // How often it was refused. mlock asks again after it has subtracted what is locked
  // already (mm/mlock.c, do_mlock): once means that this made it fit, twice that not.
  int capability_refusals = 0;

  // The books before the call, or after a refused one that charged nothing.
  uint64_t locked_bytes = 0;                      // mm->locked_vm
  uint64_t pinned_bytes = 0;                      // mm->pinned_vm
  uint64_t total_bytes = 0;                       // mm->total_vm
  std::optional<uint64_t> locked_after_bytes;     // mm->locked_vm when the call returned
  std::optional<uint64_t> locked_mappings_bytes;  // sum of VM_LOCKED mappings
  std::optional<uint64_t> map_count;
  uint64_t max_map_count = 65530;                // vm.max_map_count
  bool locks_future = false;                     // mm->def_flags has VM_LOCKED
  std::optional<uint64_t> uid_locked_bytes;      // user_struct->locked_vm
  std::optional<uint64_t> uid_shm_locked_bytes;  // ucounts or user_struct->locked_shm
  std::optional<RangeFacts> range;
  std::optional<bool> shm_owner;         // shmctl: caller owns or made the segment
  std::optional<bool> in_hugetlb_group;  // shmget: one of its groups is vm.hugetlb_shm_group
  uint64_t page_bytes = 4096;
  uint64_t repeats = 0;  // like attempts of the same process not told one by one before this one
};

}  // namespace pagewarden
