// SPDX-License-Identifier: Apache-2.0
// Why a call that locks or pins memory was refused, or went through although the
// limit says no. The words are stable: they are in JSON, metrics and the runbooks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/reasons/attempt.h"

namespace pagewarden {

enum class Reason {
  kNone,              // nothing was refused
  kSeccomp,           // a seccomp filter or a security module, not the limit
  kLimitZero,         // RLIMIT_MEMLOCK is 0: EPERM
  kNotOwner,          // shmctl(SHM_LOCK) by neither owner nor creator
  kPerfBudget,        // perf buffer: RLIMIT_MEMLOCK plus perf_event_mlock_kb
  kBpfUidBudget,      // BPF maps and programs of the whole uid, kernels up to 5.10
  kOverLimit,         // locked_vm + request > RLIMIT_MEMLOCK
  kOverLimitVsz,      // mlockall(MCL_CURRENT): the whole address space is compared
  kHugetlbLength,     // hugetlb pages lock nothing, but their length is compared
  kHugetlbGroup,      // shmget(SHM_HUGETLB): no capability, not in vm.hugetlb_shm_group
  kHole,              // nothing is mapped in part of the range
  kUnpopulatable,     // PROT_NONE, guard, past the file's end, device: already charged
  kVmaLimit,          // vm.max_map_count
  kUidBudget,         // user_struct->locked_vm: io_uring, AF_XDP, MSG_ZEROCOPY, iommufd
  kPinBudget,         // mm->pinned_vm: RDMA, vdpa
  kFutureOverLimit,   // mmap, mremap, brk under MAP_LOCKED or MCL_FUTURE
  kNoMemory,          // pages could not be had: memory cgroup, or the host
  kArguments,         // EINVAL
  kSignalled,         // EINTR
  kStackOverLimit,    // growth of a locked stack: SIGSEGV
  kSecretUidBudget,   // memfd_secret charged at fault to the uid: SIGBUS
  kPrivilegedBypass,  // over the limit, and allowed by CAP_IPC_LOCK
  kPartial,           // mlockall returned 0 and locked little of the address space
  kUnknown,           // none of the above explains it
};

// What makes an over-limit refusal special. Each has a fix of its own.
enum class LimitDetail {
  kSoftBelowHard,    // the process may raise it by itself
  kCapInUserNs,      // CAP_IPC_LOCK is effective, but only in a user namespace
  kCapNotEffective,  // CAP_IPC_LOCK is permitted, or given to the container, not effective
  kLimitBelowPage,   // 1 to 4095 bytes: allows nothing
  kDrift,            // VmLck counts what is not locked any more
  kUnit,             // the limit times 1024 would do: KiB written where bytes are meant
};

struct Verdict {
  Reason reason = Reason::kNone;
  std::vector<LimitDetail> details;  // of the over-limit reasons
  // One sentence with the numbers that decided it, in bytes and KiB.
  std::string explanation;
};

// "OVER_LIMIT", as docs/reasons.md lists them.
std::string ReasonCode(Reason reason);
// "UNIT"; "OVER_LIMIT.UNIT" is how a verdict with this first detail is written.
std::string LimitDetailCode(LimitDetail detail);
std::string VerdictCode(const Verdict& verdict);

// Pure function of `attempt`: no I/O. Thread-safe.
Verdict Classify(const Attempt& attempt);

}  // namespace pagewarden
