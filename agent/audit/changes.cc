// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/changes.h"

#include <map>

namespace pagewarden {
namespace {

struct Seen {
  const ProcessRow* row = nullptr;
  Peak peak;
  const CoveredProcess* coverage = nullptr;  // null: no policy selects it
};
using Processes = std::map<pid_t, Seen>;

Processes ProcessesOf(const AuditReport& report) {
  Processes processes;
  for (const CgroupRow& cgroup : report.cgroups) {
    for (const ProcessRow& row : cgroup.processes) {
      processes[row.pid] = {&row, report.peaks.at(row.pid), CoverageOf(report, row.pid)};
    }
  }
  return processes;
}

std::optional<int64_t> Signed(std::optional<uint64_t> bytes) {
  if (!bytes) return std::nullopt;
  return static_cast<int64_t>(*bytes);
}

// One subject's figures, before and after.
class Comparison {
 public:
  Comparison(Change subject, std::vector<Change>& changes)
      : subject_(std::move(subject)), changes_(changes) {}

  void Add(const char* what, std::optional<int64_t> from, std::optional<int64_t> to,
           bool new_peak = false) {
    if (from == to) return;
    Change& change = changes_.emplace_back(subject_);
    change.what = what;
    change.from = from;
    change.to = to;
    change.new_peak = new_peak;
  }

  void AddUsage(uint64_t locked_before, uint64_t locked, uint64_t pinned_before, uint64_t pinned,
                Peak peak_before, Peak peak) {
    const bool new_peak = peak.bytes > peak_before.bytes;
    Add("locked", locked_before, locked, new_peak && peak.bytes == locked);
    Add("pinned", pinned_before, pinned);
    // It rose and fell between two snapshots: only an event has seen it.
    if (new_peak && peak.bytes != locked) Add("peak", peak_before.bytes, peak.bytes);
  }

  void AddCoverage(const char* what, const std::string& before, const std::string& after) {
    if (before == after) return;
    Change& change = changes_.emplace_back(subject_);
    change.what = what;
    change.reason = after;
  }

 private:
  const Change subject_;
  std::vector<Change>& changes_;
};

Change OfProcess(const ProcessRow& row) {
  Change change;
  change.cgroup = row.cgroup;
  change.pid = row.pid;
  change.comm = row.comm;
  return change;
}

std::string ReasonOf(const Seen& seen, CoverageState state) {
  return seen.coverage != nullptr && seen.coverage->state == state ? seen.coverage->reason : "";
}

std::string UncoveredReason(const Seen& seen) {
  if (seen.coverage != nullptr) return ReasonOf(seen, CoverageState::kUncovered);
  const ProcessRow& row = *seen.row;
  if (!row.shim_loaded) return "";
  if (row.shim) return row.shim->uncovered;
  return row.shim_unreadable ? "" : "invalid_ledger";
}

bool IsSameProcess(const Seen& before, const Seen& after) {
  return before.row->start_time_ns == after.row->start_time_ns;
}

void CompareProcess(const Seen& before, const Seen& after, bool with_usage,
                    std::vector<Change>& changes) {
  const ProcessRow& row = *after.row;
  Comparison comparison(OfProcess(row), changes);
  if (with_usage) {
    comparison.AddUsage(before.row->locked_bytes, row.locked_bytes, before.row->pinned_bytes,
                        row.pinned_bytes, before.peak, after.peak);
  }
  comparison.Add("softLimit", Signed(before.row->soft_limit_bytes), Signed(row.soft_limit_bytes));
  comparison.Add("hardLimit", Signed(before.row->hard_limit_bytes), Signed(row.hard_limit_bytes));
  comparison.Add("drift", before.row->drift_bytes, row.drift_bytes);
  comparison.AddCoverage("uncovered", UncoveredReason(before), UncoveredReason(after));
  comparison.AddCoverage("pending", ReasonOf(before, CoverageState::kPending),
                         ReasonOf(after, CoverageState::kPending));
}

// Only what a process brings with it: its limit was somebody's before. Or it was quiet.
void AddStarted(const Seen& after, const ProcessLimits* limits_before, bool with_usage,
                std::vector<Change>& changes) {
  ProcessRow nothing = *after.row;
  if (limits_before != nullptr) {
    nothing.soft_limit_bytes = limits_before->soft_bytes;
    nothing.hard_limit_bytes = limits_before->hard_bytes;
  }
  nothing.locked_bytes = 0;
  nothing.pinned_bytes = 0;
  nothing.drift_bytes = 0;
  nothing.shim_loaded = false;
  CompareProcess({&nothing, {}, nullptr}, after, with_usage, changes);
}

void AddEnded(const Seen& before, std::vector<Change>& changes) {
  Change subject = OfProcess(*before.row);
  subject.ended = true;
  Comparison comparison(std::move(subject), changes);
  comparison.Add("locked", before.row->locked_bytes, 0);
  comparison.Add("pinned", before.row->pinned_bytes, 0);
}

void CompareProcesses(const AuditReport& before, const AuditReport& after, bool with_usage,
                      std::vector<Change>& changes) {
  const Processes old = ProcessesOf(before);
  const Processes now = ProcessesOf(after);
  for (const auto& [pid, seen] : old) {
    const auto found = now.find(pid);
    const bool ended = found == now.end() || !IsSameProcess(seen, found->second);
    if (ended && with_usage) AddEnded(seen, changes);
  }
  for (const auto& [pid, seen] : now) {
    const auto found = old.find(pid);
    if (found == old.end() || !IsSameProcess(found->second, seen)) {
      const auto limits = after.limits_before.find(pid);
      const bool had_others = found == old.end() && limits != after.limits_before.end();
      AddStarted(seen, had_others ? &limits->second : nullptr, with_usage, changes);
    } else {
      CompareProcess(found->second, seen, with_usage, changes);
    }
  }
}

std::map<std::string, const CgroupSums*> SumsByPath(const AuditReport& report) {
  std::map<std::string, const CgroupSums*> sums;
  for (const CgroupRow& row : report.cgroups) sums[row.path] = &row.own;
  return sums;
}

void CompareCgroups(const AuditReport& before, const AuditReport& after,
                    std::vector<Change>& changes) {
  const CgroupSums nothing;
  const auto old = SumsByPath(before);
  const auto now = SumsByPath(after);
  const auto compare = [&](const std::string& path, const CgroupSums& a, const CgroupSums& b) {
    Change subject;
    subject.cgroup = path;
    Comparison(std::move(subject), changes)
        .AddUsage(a.locked_bytes, b.locked_bytes, a.pinned_bytes, b.pinned_bytes, a.peak, b.peak);
  };
  for (const auto& [path, sums] : old) {
    if (now.count(path) == 0) compare(path, *sums, nothing);
  }
  for (const auto& [path, sums] : now) {
    const auto found = old.find(path);
    compare(path, found == old.end() ? nothing : *found->second, *sums);
  }
}

void CompareUsers(const AuditReport& before, const AuditReport& after, bool with_usage,
                  std::vector<Change>& changes) {
  auto old = TotalsByUid(before);
  auto now = TotalsByUid(after);
  for (const auto& [uid, totals] : old) now[uid];
  for (const auto& [uid, totals] : now) {
    const UidTotals& was = old[uid];
    Change subject;
    subject.uid = uid;
    Comparison comparison(std::move(subject), changes);
    if (with_usage) {
      comparison.Add("locked", was.locked_bytes, totals.locked_bytes);
      comparison.Add("pinned", was.pinned_bytes, totals.pinned_bytes);
    }
    comparison.Add("residue", was.residue_bytes, totals.residue_bytes);
    comparison.Add("shmLocked", was.shm_locked_bytes, totals.shm_locked_bytes);
  }
}

}  // namespace

std::vector<Change> ChangesBetween(const AuditReport& before, const AuditReport& after,
                                   GroupBy by) {
  std::vector<Change> changes;
  if (by == GroupBy::kCgroup) CompareCgroups(before, after, changes);
  CompareProcesses(before, after, by == GroupBy::kProcess, changes);
  CompareUsers(before, after, by == GroupBy::kUid, changes);
  return changes;
}

}  // namespace pagewarden
