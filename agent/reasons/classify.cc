// SPDX-License-Identifier: Apache-2.0
// In the order in which docs/reasons.md lists the reasons: the first that fits is the one.
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>

#include "agent/reasons/comparison.h"
#include "agent/reasons/reason.h"
#include "agent/reasons/sentences.h"

namespace pagewarden {
namespace {

bool IsMlock(const Attempt& attempt) {
  return attempt.call == LockCall::kMlock || attempt.call == LockCall::kMlock2;
}

// can_do_mlock() is asked by these: a limit of 0 is EPERM, not "over the limit".
bool AsksWhetherAllowed(const Attempt& attempt) {
  return IsMlock(attempt) || attempt.call == LockCall::kMlockall ||
         attempt.call == LockCall::kShmctlLock || attempt.call == LockCall::kRdmaRegister ||
         (attempt.call == LockCall::kMmap && (attempt.flags & MAP_LOCKED) != 0);
}

bool LimitIsZero(const Attempt& attempt) { return attempt.soft_limit_bytes == uint64_t{0}; }

// The kernel's own comparison, where it asks for the capability only when it is over.
bool KernelFoundOver(const Attempt& attempt) {
  switch (attempt.call) {
    case LockCall::kMlock:
    case LockCall::kMlock2:
      return attempt.capability_refusals >= 2;
    case LockCall::kMlockall:
    case LockCall::kShmctlLock:
      return !LimitIsZero(attempt) && attempt.capability_refusals >= 1;
    case LockCall::kPerfMmap:
    case LockCall::kXdpUmem:
    case LockCall::kZeroCopySend:
    case LockCall::kRdmaRegister:
      return attempt.capability_refusals >= 1;
    default:
      return false;
  }
}

// Where the kernel's questions are seen, mlock's own word is better than arithmetic on
// books that another thread may have changed since.
bool IsOver(const Attempt& attempt, const Comparison& comparison) {
  if (KernelFoundOver(attempt)) return true;
  if (IsMlock(attempt) && attempt.capability_asked && !attempt.capability_granted) return false;
  return comparison.over;
}

bool OnlyHugetlbIsOver(const Attempt& attempt, const Comparison& comparison) {
  if (!IsMlock(attempt) || !attempt.range || attempt.range->hugetlb_bytes == 0) return false;
  Attempt without = attempt;
  without.request_bytes -= std::min(without.request_bytes, attempt.range->hugetlb_bytes);
  return comparison.over && !Compare(without).over;
}

Verdict Over(const Attempt& attempt, const Comparison& comparison) {
  if (OnlyHugetlbIsOver(attempt, comparison)) {
    return PlainVerdict(attempt, Reason::kHugetlbLength);
  }
  return OverLimitVerdict(attempt, comparison);
}

// The calls that set errno for what is in the range.
std::optional<Reason> RangeReason(const Attempt& attempt) {
  if (!IsMlock(attempt) || !attempt.range) return std::nullopt;
  if (attempt.range->has_hole) return Reason::kHole;
  if (attempt.range->has_unpopulatable) return Reason::kUnpopulatable;
  return std::nullopt;
}

// A lock in the middle of a mapping makes three of it (mm/vma.c, split_vma).
bool AtVmaLimit(const Attempt& attempt) {
  return attempt.map_count && *attempt.map_count + 2 > attempt.max_map_count;
}

Verdict OfEperm(const Attempt& attempt, const Comparison& comparison) {
  if (attempt.call == LockCall::kShmgetHugetlb) {
    return PlainVerdict(attempt, Reason::kHugetlbGroup);
  }
  if (attempt.call == LockCall::kPerfMmap || attempt.call == LockCall::kBpf) {
    if (IsOver(attempt, comparison)) return OverLimitVerdict(attempt, comparison);
    return PlainVerdict(attempt, Reason::kUnknown);
  }
  if (attempt.call == LockCall::kShmctlLock && attempt.capability_asked != false) {
    if (attempt.shm_owner == false) return PlainVerdict(attempt, Reason::kNotOwner);
  }
  if (LimitIsZero(attempt) && attempt.capability_asked != false && !attempt.capability_granted) {
    return PlainVerdict(attempt, Reason::kLimitZero);
  }
  if (attempt.call == LockCall::kShmctlLock && attempt.capability_refusals > 0) {
    return PlainVerdict(attempt, Reason::kNotOwner);
  }
  return PlainVerdict(attempt, Reason::kSeccomp);
}

// Guard markers and truncated files cannot be seen in a list of mappings: mlock has no
// other way left to ENOMEM. What it has charged is the sign.
bool MustBeUnpopulatable(const Attempt& attempt) {
  if (!IsMlock(attempt) || !attempt.range) return false;
  return attempt.capability_refusals > 0 || attempt.capability_asked != true ||
         attempt.locked_after_bytes.value_or(0) > attempt.locked_bytes;
}

Verdict OfEnomem(const Attempt& attempt, const Comparison& comparison) {
  const bool over = IsOver(attempt, comparison);
  if (over && !attempt.capability_granted) return Over(attempt, comparison);
  if (const auto reason = RangeReason(attempt)) return PlainVerdict(attempt, *reason);
  if (AtVmaLimit(attempt)) return PlainVerdict(attempt, Reason::kVmaLimit);
  if (MustBeUnpopulatable(attempt)) return PlainVerdict(attempt, Reason::kUnpopulatable);
  if (over) return Over(attempt, comparison);  // a security module had the last word
  return PlainVerdict(attempt, Reason::kUnknown);
}

// From mlock: the pages could not be brought in. From the others: the limit.
Verdict OfEagain(const Attempt& attempt, const Comparison& comparison) {
  if (!IsMlock(attempt) && IsOver(attempt, comparison)) return Over(attempt, comparison);
  if (IsMlock(attempt)) return PlainVerdict(attempt, Reason::kNoMemory);
  return PlainVerdict(attempt, Reason::kUnknown);
}

// AF_XDP and MSG_ZEROCOPY have no other cause for it that concerns memory.
Verdict OfEnobufs(const Attempt& attempt, Comparison comparison) {
  comparison.reason = Reason::kUidBudget;
  return OverLimitVerdict(attempt, comparison);
}

Verdict OfError(const Attempt& attempt, const Comparison& comparison) {
  switch (-*attempt.result) {
    case EPERM:
      return OfEperm(attempt, comparison);
    case ENOMEM:
      return OfEnomem(attempt, comparison);
    case EAGAIN:
      return OfEagain(attempt, comparison);
    case ENOBUFS:
      return OfEnobufs(attempt, comparison);
    case EINVAL:
      return PlainVerdict(attempt, Reason::kArguments);
    case EINTR:
      return PlainVerdict(attempt, Reason::kSignalled);
    default:
      return PlainVerdict(attempt, Reason::kUnknown);
  }
}

// mlockall skips what it cannot lock, and says nothing.
bool LockedLittle(const Attempt& attempt) {
  return attempt.call == LockCall::kMlockall && (attempt.flags & MCL_CURRENT) != 0 &&
         attempt.locked_after_bytes && *attempt.locked_after_bytes < attempt.total_bytes / 2;
}

bool IsCapable(const Attempt& attempt) {
  return attempt.capability_granted || HasCapability(attempt);
}

// A limit of 0 refuses even what compares nothing: mlockall(MCL_FUTURE).
bool IsRefusedWithoutCapability(const Attempt& attempt, const Comparison& comparison) {
  return comparison.over || (LimitIsZero(attempt) && AsksWhetherAllowed(attempt));
}

Verdict OfSuccess(const Attempt& attempt, const Comparison& comparison) {
  if (comparison.capability_helps && IsCapable(attempt) &&
      IsRefusedWithoutCapability(attempt, comparison)) {
    return BypassVerdict(attempt, comparison);
  }
  if (LockedLittle(attempt)) return PlainVerdict(attempt, Reason::kPartial);
  return PlainVerdict(attempt, Reason::kNone);
}

Verdict OfSignal(const Attempt& attempt, const Comparison& comparison) {
  const bool stack = attempt.signal == SIGSEGV && attempt.call == LockCall::kStackGrowth;
  const bool secret = attempt.signal == SIGBUS && attempt.call == LockCall::kSecretMemoryFault;
  if (stack && comparison.over) return OverLimitVerdict(attempt, comparison);
  if (secret) {
    Comparison uid = comparison;
    uid.reason = Reason::kSecretUidBudget;
    return OverLimitVerdict(attempt, uid);
  }
  return PlainVerdict(attempt, Reason::kUnknown);
}

// What the kernel will answer, or has answered where only its question was seen.
Verdict Predicted(const Attempt& attempt, const Comparison& comparison) {
  const bool capable = IsCapable(attempt);
  if (attempt.call == LockCall::kShmgetHugetlb && !capable && attempt.in_hugetlb_group != true) {
    return PlainVerdict(attempt, Reason::kHugetlbGroup);
  }
  if (AsksWhetherAllowed(attempt) && !capable) {
    if (attempt.shm_owner == false) return PlainVerdict(attempt, Reason::kNotOwner);
    if (LimitIsZero(attempt)) return PlainVerdict(attempt, Reason::kLimitZero);
  }
  if (IsOver(attempt, comparison) || (capable && IsRefusedWithoutCapability(attempt, comparison))) {
    return capable && comparison.capability_helps ? BypassVerdict(attempt, comparison)
                                                  : Over(attempt, comparison);
  }
  if (const auto reason = RangeReason(attempt)) return PlainVerdict(attempt, *reason);
  if (IsMlock(attempt) && AtVmaLimit(attempt)) return PlainVerdict(attempt, Reason::kVmaLimit);
  return PlainVerdict(attempt, Reason::kNone);
}

}  // namespace

Verdict Classify(const Attempt& attempt) {
  const Comparison comparison = Compare(attempt);
  if (attempt.signal != 0) return OfSignal(attempt, comparison);
  if (!attempt.result) return Predicted(attempt, comparison);
  return *attempt.result < 0 ? OfError(attempt, comparison) : OfSuccess(attempt, comparison);
}

}  // namespace pagewarden
