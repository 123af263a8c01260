// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/budget_tracker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace pagewarden {
namespace {

// Quiet processes that have ended count until then: they lock nothing.
constexpr uint64_t kRoundsBetweenChecks = 5;

bool IsAbove(const std::optional<uint64_t>& hard, uint64_t max) {
  return !hard.has_value() || *hard > max;
}

}  // namespace

BudgetReport BudgetTracker::Evaluate(const AuditReport& report, const SnapshotReader& reader,
                                     std::shared_ptr<const PolicySet> set,
                                     std::shared_ptr<const PodTable> pods, absl::CivilDay today) {
  ++round_;
  Refresh(std::move(set), std::move(pods), today);
  Learn(report);
  BudgetSums sums;
  for (auto& [key, group] : groups_) group.processes = group.locked_bytes = 0;
  for (auto entry = known_.begin(); entry != known_.end();) {
    const auto current = entry++;
    Known& known = current->second;
    if (known.seen_round != round_ && HasEnded(current->first, known, reader)) {
      known_.erase(current);
      continue;
    }
    known.group->used_round = round_;
    ++known.group->processes;
    known.group->locked_bytes += known.locked_bytes;
    AddProcess(current->first, known, sums);
  }
  ForgetUnused();
  for (const auto& [key, group] : groups_) {
    for (size_t i = 0; i < group.fits.size(); ++i) {
      for (const std::string& subject : group.subjects[i]) {
        sums.Add(group.fits[i], subject, group.processes, group.locked_bytes);
      }
    }
  }
  return std::move(sums).Finish();
}

// Of a process that has no row. One that locks anything has one as long as it lives.
bool BudgetTracker::HasEnded(pid_t pid, const Known& known, const SnapshotReader& reader) const {
  if (known.locked_bytes > 0) return true;
  return round_ % kRoundsBetweenChecks == 0 && !reader.IsQuiet(pid);
}

void BudgetTracker::Refresh(std::shared_ptr<const PolicySet> set,
                            std::shared_ptr<const PodTable> pods, absl::CivilDay today) {
  if (set == set_ && pods == pods_ && today == today_) return;
  set_ = std::move(set);
  pods_ = std::move(pods);
  today_ = today;
  for (auto& [key, group] : groups_) Fit(group);
}

void BudgetTracker::Fit(Group& group) const {
  LockingProcess any;
  any.facts = group.facts;
  if (group.facts.cgroup) any.facts = FactsOfCgroup(*group.facts.cgroup, *pods_);
  any.facts.executable = group.facts.executable;
  group.facts = any.facts;
  group.fits = BudgetsFor(set_->budgets, any.facts, today_);
  group.subjects.clear();
  group.max_rlimit.reset();
  group.has_process_scope = false;
  for (const BudgetFit& fit : group.fits) {
    const bool is_process = fit.budget->scope == BudgetScope::kProcess;
    group.has_process_scope |= is_process && fit.budget->limit_bytes.has_value();
    group.subjects.push_back(is_process ? std::vector<std::string>()
                                        : SubjectsOf(*fit.budget, any));
    const std::optional<uint64_t> max = fit.budget->max_rlimit_bytes;
    if (max && !fit.excepted) group.max_rlimit = std::min(*max, group.max_rlimit.value_or(*max));
  }
}

BudgetTracker::Group* BudgetTracker::GroupOf(const ProcessRow& row) {
  const auto [found, is_new] = groups_.try_emplace({row.exe, row.cgroup});
  if (is_new) {
    found->second.facts.executable = row.exe;
    found->second.facts.cgroup = row.cgroup;
    Fit(found->second);
  }
  return &found->second;
}

void BudgetTracker::Learn(const AuditReport& report) {
  for (const CgroupRow& cgroup : report.cgroups) {
    for (const ProcessRow& row : cgroup.processes) {
      known_[row.pid] = {GroupOf(row), row.locked_bytes, row.hard_limit_bytes, round_};
    }
  }
}

void BudgetTracker::AddProcess(pid_t pid, const Known& known, BudgetSums& sums) const {
  const Group& group = *known.group;
  const bool breaches = group.max_rlimit && IsAbove(known.hard_limit, *group.max_rlimit);
  const bool has_own_budget = group.has_process_scope && known.locked_bytes > 0;
  if (!breaches && !has_own_budget) return;
  const LockingProcess process{pid, group.facts, known.locked_bytes,
                               MemlockLimits{std::nullopt, known.hard_limit}};
  for (const BudgetFit& fit : group.fits) {
    sums.CheckRlimit(fit, process);
    if (fit.budget->scope != BudgetScope::kProcess || known.locked_bytes == 0) continue;
    sums.Add(fit, absl::StrCat(pid), 1, known.locked_bytes);
  }
}

void BudgetTracker::ForgetUnused() {
  for (auto entry = groups_.begin(); entry != groups_.end();) {
    entry = entry->second.used_round == round_ ? std::next(entry) : groups_.erase(entry);
  }
}

}  // namespace pagewarden
