// SPDX-License-Identifier: Apache-2.0
// From the reasons of agent/reasons to the doctor's codes and fixes.
#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/doctor/checks.h"
#include "agent/reasons/amounts.h"
#include "agent/reasons/comparison.h"

namespace pagewarden {
namespace {

struct ReasonRow {
  Reason reason;
  FindingCode code;
};

constexpr ReasonRow kReasonRows[] = {
    {Reason::kSeccomp, FindingCode::kSeccompErrno},
    {Reason::kLimitZero, FindingCode::kLockingForbidden},
    {Reason::kNotOwner, FindingCode::kNotOwner},
    {Reason::kPerfBudget, FindingCode::kOtherCounters},
    {Reason::kBpfUidBudget, FindingCode::kOtherCounters},
    {Reason::kOverLimit, FindingCode::kHardLimit},
    {Reason::kOverLimitVsz, FindingCode::kAddressSpace},
    {Reason::kHugetlbLength, FindingCode::kHugetlb},
    {Reason::kHugetlbGroup, FindingCode::kHugetlb},
    {Reason::kHole, FindingCode::kRangeNotPopulated},
    {Reason::kUnpopulatable, FindingCode::kRangeNotPopulated},
    {Reason::kVmaLimit, FindingCode::kMapCount},
    {Reason::kUidBudget, FindingCode::kOtherCounters},
    {Reason::kPinBudget, FindingCode::kOtherCounters},
    {Reason::kFutureOverLimit, FindingCode::kFutureLocks},
    {Reason::kNoMemory, FindingCode::kPageInFailed},
    {Reason::kArguments, FindingCode::kBadCall},
    {Reason::kSignalled, FindingCode::kBadCall},
    {Reason::kStackOverLimit, FindingCode::kFutureLocks},
    {Reason::kSecretUidBudget, FindingCode::kSecretMemoryBudget},
    {Reason::kPrivilegedBypass, FindingCode::kPrivilegedBypass},
    {Reason::kPartial, FindingCode::kPartialLock},
    {Reason::kUnknown, FindingCode::kUnexplained},
};

bool Has(const std::vector<LimitDetail>& details, LimitDetail detail) {
  return std::find(details.begin(), details.end(), detail) != details.end();
}

bool IsOverLimit(Reason reason) {
  switch (reason) {
    case Reason::kLimitZero:
    case Reason::kOverLimit:
    case Reason::kOverLimitVsz:
    case Reason::kFutureOverLimit:
    case Reason::kStackOverLimit:
      return true;
    default:
      return false;
  }
}

bool IsGranted(Reason reason) {
  return reason == Reason::kNone || reason == Reason::kPrivilegedBypass;
}

// Whether the process could have it by raising its soft limit alone.
bool HardLimitWouldDo(Attempt attempt) {
  if (attempt.soft_limit_bytes == attempt.hard_limit_bytes) return false;
  attempt.soft_limit_bytes = attempt.hard_limit_bytes;
  attempt.result.reset();
  attempt.signal = 0;
  attempt.capability_refusals = 0;
  return IsGranted(Classify(attempt).reason);
}

// AppArmor or SELinux said no to a capability that is effective and would count.
bool ModuleDenied(const Attempt& attempt) {
  return attempt.capability_asked == true && !attempt.capability_granted && HasCapability(attempt);
}

bool IsSelinuxLabel(const std::string& label) {
  return std::count(label.begin(), label.end(), ':') >= 2;
}

// What decides about the fix comes before what was refused.
FindingCode LimitCode(const Case& subject, const Attempt& attempt, const Verdict& verdict,
                      const std::vector<LimitDetail>& details) {
  if (ModuleDenied(attempt)) {
    return IsSelinuxLabel(subject.facts.security_label) ? FindingCode::kSelinux
                                                        : FindingCode::kAppArmor;
  }
  if (HardLimitWouldDo(attempt)) return FindingCode::kSoftLimit;
  if (Has(details, LimitDetail::kDrift)) return FindingCode::kDrift;
  if (Has(details, LimitDetail::kCapInUserNs)) return FindingCode::kCapInUserNamespace;
  if (Has(details, LimitDetail::kCapNotEffective)) return FindingCode::kCapNotEffective;
  // Of mmap(MAP_LOCKED) alone: no later mapping is concerned.
  if (verdict.reason == Reason::kFutureOverLimit && !attempt.locks_future) {
    return FindingCode::kHardLimit;
  }
  return CodeOf(verdict.reason);
}

std::string CapabilityText(const Attempt& attempt) {
  if (HasCapability(attempt)) return "CAP_IPC_LOCK is effective";
  if (HasIpcLock(attempt.cap_effective)) return "CAP_IPC_LOCK counts in its user namespace only";
  if (HasIpcLock(attempt.cap_permitted)) return "CAP_IPC_LOCK is permitted, but not effective";
  return "CAP_IPC_LOCK is not effective";
}

// "cannot lock 1048576 bytes (1024 KiB): RLIMIT_MEMLOCK is …".
std::string Predicted(const Attempt& attempt) {
  return absl::StrCat(
      "cannot lock ", Amount(attempt.request_bytes),
      attempt.locked_bytes > 0 ? absl::StrCat(" beside its ", Amount(attempt.locked_bytes)) : "",
      ": RLIMIT_MEMLOCK is ", LimitAmount(attempt.soft_limit_bytes), " soft, ",
      LimitAmount(attempt.hard_limit_bytes), " hard; ", CapabilityText(attempt));
}

std::string Outcome(const Attempt& attempt) {
  if (attempt.signal != 0) return absl::StrCat("ended in ", sigabbrev_np(attempt.signal));
  if (!attempt.result) return "was not granted";
  if (*attempt.result >= 0) return "was granted";
  const char* name = strerrorname_np(static_cast<int>(-*attempt.result));
  return absl::StrCat("was refused, ", name == nullptr ? "unknown error" : name);
}

std::string Observed(const Attempt& attempt, const Verdict& verdict) {
  absl::string_view text = verdict.explanation;
  const std::string call = LockCallName(attempt.call);
  absl::ConsumePrefix(&text, absl::StrCat(call, ": "));
  std::string line = absl::StrCat(call, attempt.request_bytes > 0 ? " of " : "",
                                  attempt.request_bytes > 0 ? Amount(attempt.request_bytes) : "",
                                  " ", Outcome(attempt), ": ", text);
  if (attempt.repeats > 0) absl::StrAppend(&line, " (and ", attempt.repeats, " more times)");
  return line;
}

Fix RaiseSoftLimit(const Case& subject, const Attempt& attempt) {
  const std::string hard =
      attempt.hard_limit_bytes ? absl::StrCat(*attempt.hard_limit_bytes) : "unlimited";
  const std::string target =
      subject.IsRunning() ? absl::StrCat("--pid ", subject.facts.pid, " ") : "";
  return {"up to the hard limit, as the same user",
          "",
          "",
          {absl::StrCat("prlimit ", target, "--memlock=", hard, ":", hard,
                        subject.IsRunning() ? "" : absl::StrCat(" -- ", subject.command))}};
}

std::vector<Fix> ModuleFixes(const Case& subject, FindingCode code, uint64_t request) {
  std::vector<Fix> fixes = LimitFixesOf(subject, request, /*capability_helps=*/false);
  if (code == FindingCode::kAppArmor) {
    fixes.push_back({"or in the AppArmor profile", "", "capability ipc_lock,\n", {}});
  } else {
    fixes.push_back({"or in the SELinux policy of the domain",
                     "",
                     "allow DOMAIN self:capability ipc_lock;\n",
                     {}});
  }
  return fixes;
}

// What is to be granted beside what the case knows to be locked: of a command nothing.
uint64_t RequestOf(const Case& subject, const Attempt& attempt) {
  if (attempt.call == LockCall::kMlockall) return attempt.total_bytes;
  return attempt.request_bytes + (subject.IsRunning() ? 0 : attempt.locked_bytes);
}

std::vector<Fix> FixesOf(const Case& subject, const Attempt& attempt, const Comparison& comparison,
                         FindingCode code) {
  switch (code) {
    case FindingCode::kSoftLimit:
      return {RaiseSoftLimit(subject, attempt)};
    case FindingCode::kAppArmor:
    case FindingCode::kSelinux:
      return ModuleFixes(subject, code, RequestOf(subject, attempt));
    case FindingCode::kMapCount:
      return {{"for the host, as root", "", "", {"sysctl vm.max_map_count=262144"}}};
    case FindingCode::kSeccompErrno:
    case FindingCode::kSeccompKill:
    case FindingCode::kRangeNotPopulated:
    case FindingCode::kPageInFailed:
    case FindingCode::kPartialLock:
    case FindingCode::kBadCall:
    case FindingCode::kNotOwner:
    case FindingCode::kUnexplained:
      return {};
    case FindingCode::kDrift:
      return {{"start it again: a new address space counts from 0", "", "", {}}};
    default:
      return LimitFixesOf(subject, RequestOf(subject, attempt), comparison.capability_helps);
  }
}

// 64 KiB is a default of old kernels, and also what `ulimit -l 65536` becomes.
Finding UnitFinding(const Case& subject, const Attempt& attempt) {
  const uint64_t limit = *attempt.soft_limit_bytes;
  Finding finding = FindingOf(
      subject, FindingCode::kUnitMixUp,
      absl::StrCat("has a limit of ", Amount(limit), ": as ", limit, " KiB it would be ",
                   Amount(limit * 1024), ", and enough",
                   limit == 65536 ? "; it may also be the default of kernels before 5.16" : ""));
  finding.fixes = {{absl::StrCat("if ", limit, " KiB were meant, write ", limit * 1024,
                                 " where bytes are counted; else raise it to what is needed"),
                    "",
                    "",
                    {}}};
  return finding;
}

}  // namespace

FindingCode CodeOf(Reason reason) {
  for (const ReasonRow& row : kReasonRows) {
    if (row.reason == reason) return row.code;
  }
  return FindingCode::kUnexplained;
}

Findings FindingsOfVerdict(const Case& subject, const Attempt& attempt, const Verdict& verdict,
                           bool observed) {
  if (verdict.reason == Reason::kNone) return {};
  const Comparison comparison = Compare(attempt);
  const bool over = IsOverLimit(verdict.reason);
  const std::vector<LimitDetail> details =
      over ? LimitDetails(attempt, comparison) : std::vector<LimitDetail>{};
  const FindingCode code =
      over ? LimitCode(subject, attempt, verdict, details) : CodeOf(verdict.reason);
  Finding finding =
      FindingOf(subject, code, observed || !over ? Observed(attempt, verdict) : Predicted(attempt));
  finding.reason = VerdictCode(verdict);
  finding.fixes = FixesOf(subject, attempt, comparison, code);
  if (verdict.reason == Reason::kPrivilegedBypass) {
    finding.effect = "it works, and would not without the capability";
  }
  Findings findings = {std::move(finding)};
  if (Has(details, LimitDetail::kUnit) && code != FindingCode::kSoftLimit) {
    findings.push_back(UnitFinding(subject, attempt));
  }
  return findings;
}

}  // namespace pagewarden
