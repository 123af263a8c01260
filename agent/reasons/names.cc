// SPDX-License-Identifier: Apache-2.0
#include "agent/reasons/attempt.h"
#include "agent/reasons/reason.h"

namespace pagewarden {

const char* LockCallName(LockCall call) {
  switch (call) {
    case LockCall::kMlock:
      return "mlock";
    case LockCall::kMlock2:
      return "mlock2";
    case LockCall::kMlockall:
      return "mlockall";
    case LockCall::kMmap:
      return "mmap";
    case LockCall::kBrk:
      return "brk";
    case LockCall::kMremap:
      return "mremap";
    case LockCall::kStackGrowth:
      return "stack growth";
    case LockCall::kShmctlLock:
      return "shmctl(SHM_LOCK)";
    case LockCall::kShmgetHugetlb:
      return "shmget(SHM_HUGETLB)";
    case LockCall::kSecretMemoryMap:
      return "mmap of memfd_secret";
    case LockCall::kSecretMemoryFault:
      return "page fault in memfd_secret";
    case LockCall::kPerfMmap:
      return "mmap of a perf buffer";
    case LockCall::kIoUringSetup:
      return "io_uring_setup";
    case LockCall::kIoUringRegister:
      return "io_uring_register";
    case LockCall::kXdpUmem:
      return "AF_XDP umem registration";
    case LockCall::kZeroCopySend:
      return "send(MSG_ZEROCOPY)";
    case LockCall::kBpf:
      return "bpf";
    case LockCall::kRdmaRegister:
      return "RDMA memory registration";
    case LockCall::kVfioMap:
      return "VFIO DMA mapping";
    case LockCall::kIommufdMap:
      return "iommufd DMA mapping";
    case LockCall::kVdpaMap:
      return "vhost-vdpa mapping";
    case LockCall::kOther:
      return "locking call";
  }
  return "locking call";
}

std::string ReasonCode(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "NONE";
    case Reason::kSeccomp:
      return "SECCOMP";
    case Reason::kLimitZero:
      return "LIMIT_ZERO";
    case Reason::kNotOwner:
      return "NOT_OWNER";
    case Reason::kPerfBudget:
      return "PERF_BUDGET";
    case Reason::kBpfUidBudget:
      return "BPF_UID_BUDGET";
    case Reason::kOverLimit:
      return "OVER_LIMIT";
    case Reason::kOverLimitVsz:
      return "OVER_LIMIT_VSZ";
    case Reason::kHugetlbLength:
      return "HUGETLB_LEN";
    case Reason::kHugetlbGroup:
      return "HUGETLB_GROUP";
    case Reason::kHole:
      return "HOLE";
    case Reason::kUnpopulatable:
      return "UNPOPULATABLE";
    case Reason::kVmaLimit:
      return "VMA_LIMIT";
    case Reason::kUidBudget:
      return "UID_BUDGET";
    case Reason::kPinBudget:
      return "PIN_BUDGET";
    case Reason::kFutureOverLimit:
      return "FUTURE_OVER_LIMIT";
    case Reason::kNoMemory:
      return "NO_MEMORY";
    case Reason::kArguments:
      return "ARGS";
    case Reason::kSignalled:
      return "SIGNALLED";
    case Reason::kStackOverLimit:
      return "STACK_OVER_LIMIT";
    case Reason::kSecretUidBudget:
      return "SECRET_UID_BUDGET";
    case Reason::kPrivilegedBypass:
      return "PRIVILEGED_BYPASS";
    case Reason::kPartial:
      return "PARTIAL";
    case Reason::kUnknown:
      return "UNKNOWN";
  }
  return "UNKNOWN";
}

std::string LimitDetailCode(LimitDetail detail) {
  switch (detail) {
    case LimitDetail::kSoftBelowHard:
      return "SOFT_BELOW_HARD";
    case LimitDetail::kCapInUserNs:
      return "CAP_IN_USER_NS";
    case LimitDetail::kCapNotEffective:
      return "CAP_NOT_EFFECTIVE";
    case LimitDetail::kLimitBelowPage:
      return "LIMIT_BELOW_PAGE";
    case LimitDetail::kDrift:
      return "DRIFT";
    case LimitDetail::kUnit:
      return "UNIT";
  }
  return "";
}

std::string VerdictCode(const Verdict& verdict) {
  const std::string code = ReasonCode(verdict.reason);
  return verdict.details.empty() ? code : code + "." + LimitDetailCode(verdict.details.front());
}

}  // namespace pagewarden
