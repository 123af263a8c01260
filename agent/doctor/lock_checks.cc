// SPDX-License-Identifier: Apache-2.0
// Would the kernel grant it? The counters and the limit.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/audit/text.h"
#include "agent/doctor/checks.h"
#include "agent/reasons/amounts.h"

namespace pagewarden {
namespace {

constexpr uint64_t kThreadStackBytes = 8 << 20;  // the usual RLIMIT_STACK, and mmap'd at once
constexpr uint64_t kMappingsToSpare = 64;        // an arena needs three, the C library some

// `run` raises the soft limit, and the shim does.
void SayThatRunRaises(const Case& subject, Finding& finding) {
  if (finding.code != FindingCode::kSoftLimit || subject.IsRunning()) return;
  finding.severity = Severity::kInfo;
  finding.effect =
      "`pagewarden run` raises it to the hard limit by itself; started otherwise, "
      "the program has to";
}

// Whether MCL_FUTURE is set is not in /proc; that (nearly) all is locked is.
bool HasLockedAll(const Case& subject) {
  const ProcessFacts& facts = subject.facts;
  return subject.IsRunning() && facts.locked_bytes > 0 &&
         facts.locked_bytes >= facts.total_bytes / 2;
}

}  // namespace

Findings CheckLimit(const Case& subject) {
  Findings findings;
  if (subject.need.bytes > 0) {
    const Attempt attempt = Imagine(subject, LockCall::kMlock2, subject.need.bytes);
    findings = FindingsOfVerdict(subject, attempt, Classify(attempt), /*observed=*/false);
    for (Finding& finding : findings) SayThatRunRaises(subject, finding);
  }
  if (subject.facts.limits.soft.has_value()) return findings;
  Finding finding = FindingOf(subject, FindingCode::kUnlimited, "may lock all memory of the host");
  finding.effect = "";
  finding.fixes = LimitFixesOf(subject, std::max<uint64_t>(subject.need.bytes, 1 << 20),
                               /*capability_helps=*/false);
  findings.push_back(std::move(finding));
  return findings;
}

Findings CheckOtherCounters(const Case& subject) {
  const uint64_t held = subject.facts.shm_locked_bytes.value_or(0);
  if (held == 0 || subject.need.bytes == 0) return {};
  const Attempt attempt = Imagine(subject, LockCall::kShmctlLock, subject.need.bytes);
  const Verdict verdict = Classify(attempt);
  if (verdict.reason != Reason::kUidBudget) return {};
  Finding finding = FindingOf(
      subject, FindingCode::kOtherCounters,
      absl::StrCat("could not lock ", Amount(subject.need.bytes), " by shmctl(SHM_LOCK): its user ",
                   "has locked segments of ", Amount(held), ", and RLIMIT_MEMLOCK is ",
                   LimitAmount(attempt.soft_limit_bytes), "; mlock is counted apart"));
  finding.severity = Severity::kWarning;
  finding.effect = "of shared memory only: arenas of the shim are not concerned";
  finding.reason = VerdictCode(verdict);
  finding.fixes = LimitFixesOf(subject, held + subject.need.bytes, /*capability_helps=*/true);
  return {finding};
}

Findings CheckFutureLocks(const Case& subject) {
  const ProcessFacts& facts = subject.facts;
  if (!HasLockedAll(subject) || facts.HasUsableIpcLock() || !facts.limits.soft) return {};
  const uint64_t left = *facts.limits.soft - std::min(*facts.limits.soft, facts.locked_bytes);
  if (left >= kThreadStackBytes) return {};
  Finding finding =
      FindingOf(subject, FindingCode::kFutureLocks,
                absl::StrCat("has locked ", Amount(facts.locked_bytes), " of its address space of ",
                             Amount(facts.total_bytes), ", and its limit leaves ", Amount(left)));
  finding.severity = Severity::kWarning;
  finding.effect =
      "if it called mlockall(MCL_FUTURE), its next thread, heap growth or mapping "
      "beyond that fails";
  finding.fixes = LimitFixesOf(subject, 4 * kThreadStackBytes, /*capability_helps=*/true);
  return {finding};
}

Findings CheckPurgedRange(const Case& subject) {
  const ProcessFacts& facts = subject.facts;
  if (!HasLockedAll(subject) || facts.purging_allocator.empty()) return {};
  if (facts.shim && facts.shim->pinned_bytes > 0) return {};  // it answers such calls
  Finding finding =
      FindingOf(subject, FindingCode::kPurgedRange,
                absl::StrCat("has locked ", Amount(facts.locked_bytes), " of its address space of ",
                             Amount(facts.total_bytes), ", and ", facts.purging_allocator,
                             " gives back pages by madvise(2)"));
  finding.effect =
      "the kernel refuses that with EINVAL: memory that was freed stays resident and locked, and "
      "some programs end";
  finding.fixes = {
      {"lock it by a policy with `pin: {process: true}` instead of mlockall in the program; "
       "the shim then answers such calls (docs/policy.md)",
       "",
       "",
       {}}};
  return {finding};
}

Findings CheckMapCount(const Case& subject) {
  const ProcessFacts& facts = subject.facts;
  if (!subject.IsRunning() || !facts.map_count) return {};
  if (*facts.map_count + kMappingsToSpare <= facts.max_map_count) return {};
  Finding finding =
      FindingOf(subject, FindingCode::kMapCount,
                absl::StrCat("has ", *facts.map_count, " mappings, and vm.max_map_count is ",
                             facts.max_map_count));
  finding.effect = "mlock, mmap and mprotect fail with ENOMEM, whatever the limit";
  finding.fixes = {{"for the host, as root", "", "", {"sysctl vm.max_map_count=262144"}}};
  return {finding};
}

Findings CheckMemoryCgroup(const Case& subject) {
  const MemoryBudget& budget = subject.facts.memory;
  if (budget.cgroup.empty() || subject.need.bytes == 0) return {};
  const uint64_t left = budget.limit_bytes - std::min(budget.limit_bytes, budget.used_bytes);
  if (subject.need.bytes <= left) return {};
  const bool fits_never =
      subject.need.bytes >
      budget.limit_bytes - std::min(budget.limit_bytes, budget.unevictable_bytes);
  Finding finding = FindingOf(
      subject, FindingCode::kMemoryCgroup,
      absl::StrCat("would lock ", Amount(subject.need.bytes), " in ", Printable(budget.cgroup),
                   ", whose limit of ", Amount(budget.limit_bytes), " leaves ", Amount(left)));
  if (!fits_never && !budget.swap_off && subject.host.HasSwap()) {
    finding.severity = Severity::kWarning;
  }
  finding.effect = "the kernel swaps out what it can of the cgroup, and then kills a process of it";
  const uint64_t enough = RecommendedLimit(budget.used_bytes, subject.need.bytes);
  if (subject.environment.kind == EnvironmentKind::kService) {
    finding.fixes = {UnitDropIn(subject.environment, "50-memory.conf",
                                absl::StrCat("MemoryMax=", enough, "\n"), "for the unit")};
  } else {
    finding.fixes = {{"for the cgroup, until it is made again",
                      "",
                      "",
                      {absl::StrCat("echo ", enough, " > ", ShellQuote(budget.limit_file))}}};
  }
  return {finding};
}

Findings CheckArenas(const Case& subject) {
  const ProcessFacts& facts = subject.facts;
  if (!subject.IsRunning() || facts.locked_bytes > 0 || facts.parent_locked_bytes == 0) return {};
  Finding finding = FindingOf(subject, FindingCode::kNotInherited,
                              absl::StrCat("has nothing locked, its parent ", facts.parent, " ",
                                           Amount(facts.parent_locked_bytes)));
  finding.effect = "what the parent had locked when it forked is swappable in this process";
  if (!facts.shim_loaded) {
    finding.fixes = {
        {"lock again in the child; under the shim, arenas are (`onFork: Relock`)", "", "", {}}};
  }
  return {finding};
}

const std::vector<Check>& CaseChecks() {
  static const std::vector<Check>& checks = *new std::vector<Check>{
      {"RLIMIT_MEMLOCK, CAP_IPC_LOCK, user namespace, drift of VmLck", CheckLimit},
      {"locked shared memory of the user", CheckOtherCounters},
      {"static, setuid, setgid, file capabilities", CheckExec},
      {"whether the loader maps the shim", CheckPreload},
      {"seccomp filter", CheckSeccomp},
      {"memory limit of the cgroup", CheckMemoryCgroup},
      {"number of mappings", CheckMapCount},
      {"mlockall", CheckFutureLocks},
      {"an allocator that gives back locked pages", CheckPurgedRange},
      {"locks lost by fork", CheckArenas},
  };
  return checks;
}

}  // namespace pagewarden
