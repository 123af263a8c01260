// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/attempt_decode.h"

#include <sys/mman.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "agent/proc/limits.h"

namespace pagewarden {
namespace {

constexpr int kSolXdp = 283;  // linux/socket.h

// Outermost first where one calls the other. Each is too large to be inlined, or has a
// caller here that is.
const std::vector<std::pair<std::string, LockCall>>& Mechanisms() {
  static const auto& mechanisms = *new std::vector<std::pair<std::string, LockCall>>{
      {"perf_mmap", LockCall::kPerfMmap},
      {"secretmem_mmap", LockCall::kSecretMemoryMap},
      {"secretmem_mmap_prepare", LockCall::kSecretMemoryMap},
      {"expand_stack", LockCall::kStackGrowth},
      {"expand_stack_locked", LockCall::kStackGrowth},
      {"expand_downwards", LockCall::kStackGrowth},
      {"expand_upwards", LockCall::kStackGrowth},
      {"acct_stack_growth", LockCall::kStackGrowth},
      {"shmctl_do_lock", LockCall::kShmctlLock},
      {"hugetlb_file_setup", LockCall::kShmgetHugetlb},
      {"xdp_umem_create", LockCall::kXdpUmem},
      {"mm_account_pinned_pages", LockCall::kZeroCopySend},
      {"io_uring_create", LockCall::kIoUringSetup},
      {"io_uring_setup", LockCall::kIoUringSetup},
      {"ib_umem_get", LockCall::kRdmaRegister},
      {"ib_umem_get_peer", LockCall::kRdmaRegister},
      {"vfio_iommu_type1_ioctl", LockCall::kVfioMap},
      {"vfio_lock_acct", LockCall::kVfioMap},
      {"iommufd_fops_ioctl", LockCall::kIommufdMap},
      {"iommufd_fops_open", LockCall::kIommufdMap},
  };
  return mechanisms;
}

LockCall ByNumber(const lock_attempt& wire) {
  switch (wire.call) {
    case ATTEMPT_MLOCK:
      return LockCall::kMlock;
    case ATTEMPT_MLOCK2:
      return LockCall::kMlock2;
    case ATTEMPT_MLOCKALL:
      return LockCall::kMlockall;
    case ATTEMPT_MMAP:
      return LockCall::kMmap;
    case ATTEMPT_BRK:
      return LockCall::kBrk;
    case ATTEMPT_MREMAP:
      return LockCall::kMremap;
    case ATTEMPT_SHMCTL:
      return LockCall::kShmctlLock;
    case ATTEMPT_SHMGET:
      return LockCall::kShmgetHugetlb;
    case ATTEMPT_RING_SETUP:
      return LockCall::kIoUringSetup;
    case ATTEMPT_RING_REGISTER:
      return LockCall::kIoUringRegister;
    case ATTEMPT_SEND:
      return LockCall::kZeroCopySend;
    case ATTEMPT_BPF:
      return LockCall::kBpf;
    case ATTEMPT_SETSOCKOPT:
      return static_cast<int>(wire.args[1]) == kSolXdp ? LockCall::kXdpUmem : LockCall::kOther;
    case ATTEMPT_FAULT:
      return wire.signal == SIGBUS ? LockCall::kSecretMemoryFault : LockCall::kStackGrowth;
    default:
      return LockCall::kOther;
  }
}

LockCall CallOf(const lock_attempt& wire, const KernelSymbols& symbols) {
  for (const uint64_t address : wire.stack) {
    const absl::string_view name = symbols.NameOf(address);
    if (name.empty()) continue;
    for (const auto& [function, call] : Mechanisms()) {
      if (name == function) return call;
    }
  }
  return ByNumber(wire);
}

uint64_t FlagsOf(const lock_attempt& wire) {
  switch (wire.call) {
    case ATTEMPT_MLOCK2:
      return wire.args[2];
    case ATTEMPT_MLOCKALL:
      return wire.args[0];
    case ATTEMPT_MMAP:
      return wire.args[3];
    default:
      return 0;
  }
}

// io_uring/io_uring.c, rings_size: the submission entries, and one region for both rings.
uint64_t RingBytes(uint64_t entries, uint64_t page) {
  constexpr uint64_t kHeader = 320, kCompletion = 16, kSubmission = 64, kMostEntries = 32768;
  uint64_t rounded = 1;
  while (rounded < std::min(entries, kMostEntries)) rounded *= 2;
  const uint64_t rings = kHeader + 2 * rounded * kCompletion + rounded * sizeof(uint32_t);
  return (rings + page - 1) / page * page + (rounded * kSubmission + page - 1) / page * page;
}

void DecodeTask(const task_record& task, Attempt& attempt) {
  attempt.soft_limit_bytes = LimitFromRlim(task.soft_limit_bytes);
  attempt.hard_limit_bytes = LimitFromRlim(task.hard_limit_bytes);
  attempt.cap_effective = task.cap_effective;
  attempt.cap_permitted = task.cap_permitted;
  attempt.cap_bounding = task.cap_bounding;
  attempt.in_initial_user_ns = task.user_ns_level == 0;
  attempt.seccomp_mode = static_cast<int>(task.seccomp_mode);
  attempt.locked_bytes = task.locked_pages * attempt.page_bytes;
  attempt.pinned_bytes = task.pinned_pages * attempt.page_bytes;
  attempt.total_bytes = task.total_pages * attempt.page_bytes;
  attempt.locks_future = (task.flags & TASK_LOCKS_FUTURE) != 0;
  attempt.uid_locked_bytes = task.user_locked_pages * attempt.page_bytes;
  if ((task.flags & TASK_HAS_SHM_COUNT) != 0) {
    attempt.uid_shm_locked_bytes = task.user_shm_locked_pages * attempt.page_bytes;
  }
}

// Of a call that went through, the range is locked by now: what it added tells the overlap.
RangeFacts OverlapOfSuccess(const Attempt& attempt) {
  RangeFacts range;
  const uint64_t after = *attempt.locked_after_bytes;
  const uint64_t added = after > attempt.locked_bytes ? after - attempt.locked_bytes : 0;
  range.already_locked_bytes = attempt.request_bytes - std::min(attempt.request_bytes, added);
  return range;
}

void DecodeRange(const lock_attempt& wire, Attempt& attempt) {
  const bool is_mlock = attempt.call == LockCall::kMlock || attempt.call == LockCall::kMlock2;
  if (is_mlock && attempt.result.value_or(-1) >= 0) {
    attempt.range = OverlapOfSuccess(attempt);
  } else if ((wire.flags & ATTEMPT_HAS_RANGE) != 0) {
    attempt.range =
        RangeFacts{wire.overlap_bytes, wire.hugetlb_bytes, (wire.flags & ATTEMPT_HOLE) != 0,
                   (wire.flags & ATTEMPT_UNPOPULATABLE) != 0};
  }
}

}  // namespace

const std::vector<std::string>& MechanismFunctions() {
  static const auto& names = *[] {
    auto* list = new std::vector<std::string>;
    for (const auto& [function, call] : Mechanisms()) list->push_back(function);
    return list;
  }();
  return names;
}

Attempt DecodeAttempt(const lock_attempt& wire, const KernelSymbols& symbols, bool sees_questions) {
  Attempt attempt;
  attempt.call = CallOf(wire, symbols);
  DecodeTask(wire.task, attempt);
  if ((wire.flags & ATTEMPT_HAS_RESULT) != 0) {
    attempt.result = wire.result;
    attempt.locked_after_bytes = wire.locked_after * attempt.page_bytes;
  }
  attempt.signal = static_cast<int>(wire.signal);
  attempt.address = wire.address;
  attempt.request_bytes = wire.request_bytes;
  if (wire.call == ATTEMPT_RING_SETUP) {
    attempt.request_bytes = RingBytes(wire.args[0], attempt.page_bytes);
  }
  attempt.flags = FlagsOf(wire);
  if (sees_questions) attempt.capability_asked = wire.refusals + wire.grants > 0;
  attempt.capability_granted = wire.grants > 0 && wire.refusals == 0;
  attempt.capability_refusals = static_cast<int>(wire.refusals);
  attempt.map_count = wire.map_count;
  attempt.repeats = wire.repeats;
  DecodeRange(wire, attempt);
  return attempt;
}

}  // namespace pagewarden
