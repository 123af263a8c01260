// SPDX-License-Identifier: Apache-2.0
#include "agent/reasons/comparison.h"

#include <linux/capability.h>
#include <sys/mman.h>

#include <algorithm>

namespace pagewarden {
namespace {

uint64_t SaturatingAdd(uint64_t a, uint64_t b) { return a + b < a ? UINT64_MAX : a + b; }

// Starts where something is compared; the request is the attempt's own but for mlockall.
Comparison Against(Reason reason, const char* counter, uint64_t used, uint64_t request) {
  Comparison result;
  result.applies = true;
  result.reason = reason;
  result.counter = counter;
  result.used_bytes = used;
  result.request_bytes = request;
  return result;
}

Comparison AgainstLocked(const Attempt& attempt, Reason reason) {
  return Against(reason, "VmLck", attempt.locked_bytes, attempt.request_bytes);
}

Comparison AgainstUid(const Attempt& attempt, Reason reason) {
  if (!attempt.uid_locked_bytes) return {};
  return Against(reason, "user_struct->locked_vm", *attempt.uid_locked_bytes,
                 attempt.request_bytes);
}

Comparison AgainstPinned(const Attempt& attempt, Reason reason) {
  return Against(reason, "VmPin", attempt.pinned_bytes, attempt.request_bytes);
}

Comparison WithoutCapability(Comparison comparison) {
  comparison.capability_helps = false;
  return comparison;
}

Comparison OfMlock(const Attempt& attempt) {
  const uint64_t overlap = attempt.range ? attempt.range->already_locked_bytes : 0;
  Comparison result = AgainstLocked(attempt, Reason::kOverLimit);
  result.used_bytes -= std::min(overlap, result.used_bytes);
  return result;
}

// Nothing that is locked already is subtracted: total_vm alone is compared.
Comparison OfMlockall(const Attempt& attempt) {
  if (attempt.flags != 0 && (attempt.flags & MCL_CURRENT) == 0) return {};
  return Against(Reason::kOverLimitVsz, "VmSize", 0, attempt.total_bytes);
}

Comparison OfShmLock(const Attempt& attempt) {
  if (!attempt.uid_shm_locked_bytes) return {};
  return Against(Reason::kUidBudget, "SHM_LOCK of the uid", *attempt.uid_shm_locked_bytes,
                 attempt.request_bytes);
}

Comparison Select(const Attempt& attempt) {
  switch (attempt.call) {
    case LockCall::kMlock:
    case LockCall::kMlock2:
      return OfMlock(attempt);
    case LockCall::kMlockall:
      return OfMlockall(attempt);
    case LockCall::kMmap:
    case LockCall::kBrk:
    case LockCall::kMremap:
    case LockCall::kSecretMemoryMap:
      return AgainstLocked(attempt, Reason::kFutureOverLimit);
    case LockCall::kStackGrowth:
      return AgainstLocked(attempt, Reason::kStackOverLimit);
    case LockCall::kVfioMap:
      return AgainstLocked(attempt, Reason::kOverLimit);
    case LockCall::kShmctlLock:
      return OfShmLock(attempt);
    case LockCall::kPerfMmap:
      return AgainstPinned(attempt, Reason::kPerfBudget);
    case LockCall::kRdmaRegister:
      return AgainstPinned(attempt, Reason::kPinBudget);
    case LockCall::kVdpaMap:
      return WithoutCapability(AgainstPinned(attempt, Reason::kPinBudget));
    case LockCall::kSecretMemoryFault:
      return WithoutCapability(AgainstUid(attempt, Reason::kSecretUidBudget));
    case LockCall::kBpf:
      return WithoutCapability(AgainstUid(attempt, Reason::kBpfUidBudget));
    case LockCall::kIoUringSetup:
    case LockCall::kIoUringRegister:
    case LockCall::kIommufdMap:
    case LockCall::kXdpUmem:
    case LockCall::kZeroCopySend:
      return AgainstUid(attempt, Reason::kUidBudget);
    case LockCall::kShmgetHugetlb:
    case LockCall::kOther:
      return {};
  }
  return {};
}

}  // namespace

bool HasCapability(const Attempt& attempt) {
  return attempt.in_initial_user_ns && ((attempt.cap_effective >> CAP_IPC_LOCK) & 1) != 0;
}

Comparison Compare(const Attempt& attempt) {
  Comparison result = Select(attempt);
  if (!result.applies) return result;
  result.needed_bytes = SaturatingAdd(result.used_bytes, result.request_bytes);
  const uint64_t limit = attempt.soft_limit_bytes.value_or(UINT64_MAX);
  result.over = result.needed_bytes > limit - limit % attempt.page_bytes;
  if (!attempt.soft_limit_bytes) result.over = false;
  return result;
}

}  // namespace pagewarden
