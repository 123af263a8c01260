// SPDX-License-Identifier: Apache-2.0
#include "agent/reasons/sentences.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/reasons/amounts.h"

namespace pagewarden {
namespace {

std::string Limit(const Attempt& attempt) {
  return absl::StrCat("RLIMIT_MEMLOCK of ", LimitAmount(attempt.soft_limit_bytes));
}

// "VmLck of 0 bytes (0 KiB) and the request of 131072 bytes (128 KiB) are".
std::string Sum(const Attempt& attempt, const Comparison& comparison) {
  if (attempt.call == LockCall::kMlockall) {
    return absl::StrCat("the whole address space (VmSize, not RSS) of ",
                        Amount(comparison.request_bytes), " is");
  }
  std::string counted;
  if (comparison.used_bytes != attempt.locked_bytes && attempt.range &&
      absl::string_view(comparison.counter) == "VmLck") {
    counted = ", what the range has locked already not counted,";
  }
  const absl::string_view shared =
      absl::StartsWith(comparison.counter, "Vm") ? "" : ", which all processes of the uid share,";
  return absl::StrCat(comparison.counter, " of ", Amount(comparison.used_bytes), counted, shared,
                      " and the request of ", Amount(comparison.request_bytes), " are");
}

std::string Over(const Attempt& attempt, const Comparison& comparison) {
  if (comparison.over) {
    return absl::StrCat(Sum(attempt, comparison), " over ", Limit(attempt));
  }
  if (!comparison.applies) {
    return absl::StrCat("the kernel found it over ", Limit(attempt),
                        "; the counter that it compares cannot be read here");
  }
  if (attempt.call == LockCall::kSecretMemoryFault) {
    return absl::StrCat("the pages of the uid that made the memfd are over ", Limit(attempt),
                        " of the process that touched it");
  }
  return absl::StrCat("the kernel found it over ", Limit(attempt),
                      "; by the books read just after, ", Sum(attempt, comparison),
                      " within it: another thread changed them");
}

std::string Hugetlb(const Attempt& attempt) {
  return absl::StrCat("hugetlb pages are never charged, but the length of those in the range, ",
                      Amount(attempt.range ? attempt.range->hugetlb_bytes : 0),
                      ", was compared with ", Limit(attempt));
}

std::string Seccomp(const Attempt& attempt) {
  return absl::StrCat("refused before the kernel compared anything: ",
                      attempt.seccomp_mode == 0 ? "no seccomp filter is on, so by a security module"
                                                : "by its seccomp filter, or by a security module",
                      "; ", Limit(attempt), " was not the reason");
}

std::string VmaLimit(const Attempt& attempt) {
  return absl::StrCat("locking splits mappings, and the process has ",
                      attempt.map_count.value_or(0), " of vm.max_map_count ",
                      attempt.max_map_count);
}

std::string Partial(const Attempt& attempt) {
  return absl::StrCat("mlockall returned 0, but VmLck is ",
                      Amount(attempt.locked_after_bytes.value_or(attempt.locked_bytes)),
                      " of an address space of ", Amount(attempt.total_bytes),
                      ": it skips hugetlb and device mappings, and ignores errors");
}

std::string Unpopulatable() {
  return "a part of the range cannot be made present (PROT_NONE, a guard page, past the end of "
         "its file, or a device), and the range is charged to the limit nevertheless";
}

std::string NoMemory() {
  return "pages could not be had: the memory cgroup is at its limit, or the host is out of memory";
}

std::string Unknown(const Attempt& attempt) {
  if (!attempt.result) return "not explained by the limit";
  std::string text = absl::StrCat("error ", -*attempt.result, " is not explained by ",
                                  Limit(attempt), " nor by what else is known of the call");
  if (!attempt.range) absl::StrAppend(&text, "; the mappings of the range could not be read");
  return text;
}

std::string Explain(const Attempt& attempt, Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "nothing was refused";
    case Reason::kSeccomp:
      return Seccomp(attempt);
    case Reason::kLimitZero:
      return "RLIMIT_MEMLOCK is 0 bytes (0 KiB): locking is forbidden";
    case Reason::kNotOwner:
      return "the caller neither owns nor made the segment";
    case Reason::kHugetlbLength:
      return Hugetlb(attempt);
    case Reason::kHugetlbGroup:
      return "it has no CAP_IPC_LOCK, and none of its groups is vm.hugetlb_shm_group";
    case Reason::kHole:
      return "nothing is mapped in a part of the range";
    case Reason::kUnpopulatable:
      return Unpopulatable();
    case Reason::kVmaLimit:
      return VmaLimit(attempt);
    case Reason::kNoMemory:
      return NoMemory();
    case Reason::kArguments:
      return "wrong flags, or a range that wraps around";
    case Reason::kSignalled:
      return "killed by a signal while it waited for the address space";
    case Reason::kPartial:
      return Partial(attempt);
    case Reason::kPerfBudget:
    case Reason::kBpfUidBudget:
    case Reason::kOverLimit:
    case Reason::kOverLimitVsz:
    case Reason::kUidBudget:
    case Reason::kPinBudget:
    case Reason::kFutureOverLimit:
    case Reason::kStackOverLimit:
    case Reason::kSecretUidBudget:
    case Reason::kPrivilegedBypass:
      return Over(attempt, Compare(attempt));
    case Reason::kUnknown:
      return Unknown(attempt);
  }
  return "";
}

std::string WithCall(const Attempt& attempt, absl::string_view text) {
  return absl::StrCat(LockCallName(attempt.call), ": ", text);
}

// Who locks what a program only maps: its own flag, or an mlockall long ago.
std::string WhyLocked(const Attempt& attempt, Reason reason) {
  if (reason != Reason::kFutureOverLimit || !attempt.locks_future) return "";
  return "; mlockall(MCL_FUTURE) locks every new mapping of this process";
}

std::string WhyNoCapability(const Attempt& attempt, const Comparison& comparison) {
  if (!comparison.capability_helps) return "; CAP_IPC_LOCK does not lift this limit";
  if (!HasCapability(attempt)) return "";
  return "; it has CAP_IPC_LOCK, so a security module (AppArmor, SELinux) refuses to let it count";
}

}  // namespace

Verdict OverLimitVerdict(const Attempt& attempt, const Comparison& comparison) {
  Verdict verdict;
  verdict.reason = comparison.reason;
  verdict.details = LimitDetails(attempt, comparison);
  verdict.explanation = WithCall(
      attempt, absl::StrCat(Over(attempt, comparison), WhyLocked(attempt, comparison.reason),
                            WhyNoCapability(attempt, comparison),
                            DescribeDetails(attempt, verdict.details)));
  return verdict;
}

Verdict BypassVerdict(const Attempt& attempt, const Comparison& comparison) {
  Verdict verdict;
  verdict.reason = Reason::kPrivilegedBypass;
  verdict.explanation =
      WithCall(attempt, absl::StrCat(Over(attempt, comparison),
                                     ", allowed by CAP_IPC_LOCK: it would be refused without"));
  return verdict;
}

Verdict PlainVerdict(const Attempt& attempt, Reason reason) {
  Verdict verdict;
  verdict.reason = reason;
  verdict.explanation = WithCall(attempt, Explain(attempt, reason));
  return verdict;
}

}  // namespace pagewarden
