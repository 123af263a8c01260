// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/findings.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "agent/audit/limit_text.h"

namespace pagewarden {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr double kNear = 0.9;
// The kernel's default for decades, and the least that anything ships with.
constexpr uint64_t kSmallestUsualLimit = 64 << 10;

class ProcessFindings {
 public:
  ProcessFindings(const ProcessRow& row, const CoveredProcess* coverage,
                  std::vector<AuditFinding>& findings)
      : row_(row), coverage_(coverage), findings_(findings) {}

  void AddAll() {
    Shim();
    Coverage();
    Usage();
    Units();
    Capability();
    Drift();
  }

 private:
  void Add(Severity severity, const char* code, std::string text) {
    findings_.push_back({severity, code, row_.pid, row_.cgroup, std::move(text)});
  }

  void Shim() {
    if (!row_.shim_loaded) return;
    if (!row_.shim && row_.shim_unreadable) return;  // partial data, and no finding
    if (!row_.shim) {
      if (coverage_ == nullptr) Add(Severity::kError, "uncovered", "its ledger is not valid");
      return;
    }
    uint64_t violations = 0;
    for (const uint64_t count : row_.shim->violations) violations += count != 0;
    if (violations > 0) {
      Add(Severity::kError, "corruption", "the fence found its memory corrupted");
    }
    if (row_.shim->uncovered.empty() || coverage_ != nullptr) return;
    Add(Severity::kError, "uncovered",
        absl::StrCat("its secrets are not fenced: ",
                     absl::StrReplaceAll(row_.shim->uncovered, {{"_", " "}})));
  }

  // A shim that failed was to be there: that is worse than none. Missing rights are partial
  // data.
  void Coverage() {
    if (coverage_ == nullptr || coverage_->reason.empty()) return;
    std::string text = absl::StrCat("policy ", coverage_->policy, ": ", coverage_->text);
    if (!coverage_->protections.empty()) {
      absl::StrAppend(&text, "; in force: ", absl::StrJoin(coverage_->protections, ", "));
    }
    if (coverage_->state == CoverageState::kPending) {
      return Add(Severity::kInfo, "pending", std::move(text));
    }
    Add(row_.shim ? Severity::kError : Severity::kWarning, "uncovered", std::move(text));
  }

  void Usage() {
    const double ratio = UsageRatio(row_);
    if (row_.cap_ipc_lock) {
      if (ratio <= 1) return;
      return Add(Severity::kInfo, "bypass",
                 absl::StrCat("locks ", BytesAndKib(row_.locked_bytes), ", over its limit of ",
                              LimitText(row_.soft_limit_bytes), ": allowed by CAP_IPC_LOCK alone"));
    }
    if (ratio < kNear) return;
    Add(Severity::kWarning, "limit-near",
        absl::StrFormat("locks %s, %.0f%% of its limit of %s", BytesAndKib(row_.locked_bytes),
                        100 * ratio, SoftAndHard(row_.soft_limit_bytes, row_.hard_limit_bytes)));
  }

  // Of processes that lock anything, or have a shim that wants to.
  bool Locks() const { return row_.locked_bytes > 0 || row_.pinned_bytes > 0 || row_.shim_loaded; }

  void Units() {
    if (!HasOddLimit(row_)) return;
    const uint64_t limit = *row_.soft_limit_bytes;
    const char* const effect = limit < kPageBytes ? ", which allows nothing" : "";
    Add(Locks() ? Severity::kWarning : Severity::kInfo, "limit-units",
        absl::StrCat("its limit is ", BytesAndKib(limit), effect, ": were ", limit, " KiB (",
                     limit * 1024, " B) meant?"));
  }

  void Capability() {
    if (!Locks()) return;
    const bool tight = UsageRatio(row_) >= kNear;
    const Severity severity = tight ? Severity::kWarning : Severity::kInfo;
    if (IpcLockOf(row_) == IpcLock::kUserNamespace) {
      Add(severity, "capability-in-user-namespace",
          absl::StrCat("its CAP_IPC_LOCK counts in its user namespace only: the limit of ",
                       LimitText(row_.soft_limit_bytes), " binds"));
    }
    if (IpcLockOf(row_) == IpcLock::kPermitted) {
      Add(severity, "capability-not-effective",
          absl::StrCat("its CAP_IPC_LOCK is permitted, but not effective: the limit of ",
                       LimitText(row_.soft_limit_bytes), " binds"));
    }
  }

  void Drift() {
    if (row_.drift_bytes == 0) return;
    const uint64_t amount = static_cast<uint64_t>(std::abs(row_.drift_bytes));
    Add(Severity::kWarning, "drift",
        absl::StrCat("VmLck is ", BytesAndKib(row_.locked_bytes), ", ", BytesAndKib(amount),
                     row_.drift_bytes > 0 ? " more" : " less",
                     " than its locked mappings; the limit is checked against VmLck"));
  }

  const ProcessRow& row_;
  const CoveredProcess* coverage_;  // null: no policy selects it
  std::vector<AuditFinding>& findings_;
};

std::string Times(uint64_t count) { return count == 1 ? "once" : absl::StrCat(count, " times"); }

void AddDenials(const CgroupRow& cgroup, std::vector<AuditFinding>& findings) {
  const DenialCounts& denials = cgroup.own.denials;
  if (denials.guard_hits > 0) {
    findings.push_back({Severity::kError, "guard-hit", 0, cgroup.path,
                        absl::StrCat("the memory around secrets was touched ",
                                     Times(denials.guard_hits), ": an overrun, or an attack")});
  }
  if (denials.Total() > 0) {
    std::vector<std::string> parts;
    for (const auto& [reason, count] : denials.by_reason) {
      parts.push_back(absl::StrCat(reason, " ", count));
    }
    findings.push_back(
        {Severity::kWarning, "denied", 0, cgroup.path,
         absl::StrCat("refused ", Times(denials.Total()), ": ", absl::StrJoin(parts, ", "))});
  }
  if (denials.privileged_bypasses > 0) {
    findings.push_back({Severity::kInfo, "bypass", 0, cgroup.path,
                        absl::StrCat("over the limit ", Times(denials.privileged_bypasses),
                                     ", allowed by CAP_IPC_LOCK alone")});
  }
}

}  // namespace

bool HasOddLimit(const ProcessRow& row) {
  const uint64_t limit = row.soft_limit_bytes.value_or(0);
  return limit > 0 && limit < kSmallestUsualLimit;
}

std::vector<AuditFinding> FindingsOf(const AuditReport& report) {
  std::vector<AuditFinding> findings;
  for (const CgroupRow& cgroup : report.cgroups) {
    AddDenials(cgroup, findings);
    for (const ProcessRow& row : cgroup.processes) {
      ProcessFindings(row, CoverageOf(report, row.pid), findings).AddAll();
    }
  }
  for (const CounterDifference& difference : report.differences) {
    findings.push_back(
        {Severity::kWarning, "counters-differ", difference.pid, difference.cgroup,
         absl::StrCat(difference.figure, " is ", BytesAndKib(difference.bpf_bytes), " by BPF, ",
                      BytesAndKib(difference.proc_bytes), " by /proc")});
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const AuditFinding& a, const AuditFinding& b) {
                     return a.severity != b.severity ? a.severity > b.severity : a.pid < b.pid;
                   });
  return findings;
}

std::optional<Severity> WorstOf(const std::vector<AuditFinding>& findings) {
  if (findings.empty()) return std::nullopt;
  return findings.front().severity;
}

}  // namespace pagewarden
