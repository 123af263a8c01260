// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <random>

#include "agent/daemon/budget_tracker.h"
#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

constexpr uint64_t kMi = 1 << 20;
const absl::CivilDay kToday(2026, 6, 1);
constexpr char kDocuments[] = R"(apiVersion: pagewarden/v1alpha1
kind: MemlockBudget
metadata: {name: one}
spec:
  budgets:
    - {name: slices, scope: Slice, limit: 8Mi, selector: {matchSlices: ['*.slice']}}
    - {name: services, scope: Service, limit: 4Mi, maxRlimit: 16Mi}
    - name: web
      scope: Process
      limit: 2Mi
      maxRlimit: 4Mi
      selector: {matchBinaries: [/usr/sbin/nginx]}
      exceptions:
        - {matchCgroups: ['/b.slice'], reason: tests, expires: '2026-06-30'}
---
apiVersion: pagewarden/v1alpha1
kind: MemlockBudget
metadata: {name: two}
spec:
  budgets:
    - {name: edge, scope: Slice, limit: 8Mi, selector: {matchSlices: [a.slice]}}
)";

std::shared_ptr<const PolicySet> Documents() {
  return std::make_shared<const PolicySet>(LoadValid(kDocuments));
}

std::string OneOf(std::mt19937& random, const std::vector<std::string>& texts) {
  return texts[random() % texts.size()];
}

ProcessRow RandomRow(std::mt19937& random, pid_t pid) {
  ProcessRow row;
  row.pid = pid;
  row.exe = OneOf(random, {"/usr/sbin/nginx", "/usr/sbin/sshd", ""});
  row.cgroup = OneOf(random, {"/", "/a.slice", "/a.slice/web.service", "/b.slice/web.service",
                              "/a.slice/a-c.slice/db.service"});
  row.locked_bytes = random() % 2 == 0 ? 0 : random() % (3 * kMi);
  if (random() % 3 != 0) row.hard_limit_bytes = random() % (32 * kMi);
  return row;
}

AuditReport ReportOf(const std::vector<ProcessRow>& rows) {
  std::map<std::string, CgroupRow> cgroups;
  for (const ProcessRow& row : rows) {
    cgroups[row.cgroup].path = row.cgroup;
    cgroups[row.cgroup].processes.push_back(row);
  }
  AuditReport report;
  for (auto& [path, cgroup] : cgroups) report.cgroups.push_back(std::move(cgroup));
  return report;
}

// What EvaluateBudgets says, without processes of their own budget that lock nothing.
BudgetReport Expected(const PolicySet& set, const std::vector<ProcessRow>& rows) {
  std::vector<LockingProcess> processes;
  for (const ProcessRow& row : rows) {
    LockingProcess process;
    process.pid = row.pid;
    process.facts = FactsOfCgroup(row.cgroup, PodTable());
    process.facts.executable = row.exe;
    process.locked_bytes = row.locked_bytes;
    process.limits = MemlockLimits{std::nullopt, row.hard_limit_bytes};
    processes.push_back(process);
  }
  BudgetReport report = EvaluateBudgets(set.budgets, processes, kToday);
  std::vector<BudgetState> kept;
  for (BudgetState& state : report.states) {
    const auto own = std::find_if(rows.begin(), rows.end(), [&](const ProcessRow& row) {
      return state.scope == BudgetScope::kProcess && std::to_string(row.pid) == state.subject;
    });
    if (own == rows.end() || own->locked_bytes > 0) kept.push_back(std::move(state));
  }
  report.states = std::move(kept);
  return report;
}

std::string Text(const BudgetReport& report) {
  std::ostringstream text;
  for (const BudgetState& state : report.states) {
    text << static_cast<int>(state.scope) << " " << state.subject << " " << LevelWord(state.level);
    for (const BudgetSource& source : state.sources) {
      text << "; " << source.policy << "/" << source.budget << " " << source.used_bytes << " "
           << source.processes << " " << source.excepted << " " << LevelWord(source.level);
    }
    text << "\n";
  }
  for (const RlimitBreach& breach : report.rlimits) {
    text << breach.pid << " " << breach.max_bytes << " " << breach.budget << " " << breach.cgroup
         << " " << breach.hard_limit.value_or(UINT64_MAX) << "\n";
  }
  return text.str();
}

TEST(BudgetTracker, SaysWhatEvaluateBudgetsSays) {
  const auto reader = SnapshotReader::Open(nullptr, SnapshotSource::kProc);
  ASSERT_TRUE(reader.ok());
  const auto pods = std::make_shared<const PodTable>();
  const auto set = Documents();
  std::mt19937 random(4711);
  BudgetTracker tracker;
  std::vector<ProcessRow> rows;
  for (pid_t pid = 1; pid <= 60; ++pid) rows.push_back(RandomRow(random, pid));
  for (int round = 0; round < 40; ++round) {
    for (int change = 0; change < 10; ++change) {
      ProcessRow& row = rows[random() % rows.size()];
      row = RandomRow(random, row.pid);
    }
    const BudgetReport report = tracker.Evaluate(ReportOf(rows), *reader, set, pods, kToday);
    ASSERT_EQ(Text(report), Text(Expected(*set, rows))) << "round " << round;
  }
  EXPECT_FALSE(Expected(*set, rows).rlimits.empty());
}

ProcessRow OneThatLocks() {
  ProcessRow row;
  row.pid = 7;
  row.cgroup = "/a.slice";
  row.locked_bytes = kMi;
  return row;
}

TEST(BudgetTracker, OneThatLockedAndHasEndedIsGoneAtOnce) {
  const auto reader = SnapshotReader::Open(nullptr, SnapshotSource::kProc);
  ASSERT_TRUE(reader.ok());
  const auto pods = std::make_shared<const PodTable>();
  BudgetTracker tracker;
  const auto set = Documents();
  EXPECT_FALSE(
      tracker.Evaluate(ReportOf({OneThatLocks()}), *reader, set, pods, kToday).states.empty());
  EXPECT_TRUE(tracker.Evaluate(ReportOf({}), *reader, set, pods, kToday).states.empty());
}

TEST(BudgetTracker, OtherPoliciesFitAnew) {
  const auto reader = SnapshotReader::Open(nullptr, SnapshotSource::kProc);
  ASSERT_TRUE(reader.ok());
  const auto pods = std::make_shared<const PodTable>();
  BudgetTracker tracker;
  EXPECT_FALSE(tracker.Evaluate(ReportOf({OneThatLocks()}), *reader, Documents(), pods, kToday)
                   .states.empty());
  const auto none = std::make_shared<const PolicySet>();
  EXPECT_TRUE(
      tracker.Evaluate(ReportOf({OneThatLocks()}), *reader, none, pods, kToday).states.empty());
}

}  // namespace
}  // namespace pagewarden
