// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "agent/policy/budget.h"
#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kMi = 1 << 20;
const absl::CivilDay kToday(2026, 6, 1);
constexpr char kHead[] = "apiVersion: pagewarden/v1alpha1\nkind: MemlockBudget\n";

std::vector<MemlockBudget> Budgets(const std::string& budgets, const std::string& more = "") {
  return LoadValid(kHead + ("metadata: {name: fleet}\nspec: {budgets: [" + budgets + "]" + more) +
                   "}\n")
      .budgets;
}

LockingProcess Process(pid_t pid, const std::string& cgroup, uint64_t locked,
                       std::optional<uint64_t> hard = 8 * kMi) {
  LockingProcess process;
  process.pid = pid;
  process.facts.executable = "/usr/sbin/nginx";
  process.facts.cgroup = cgroup;
  process.locked_bytes = locked;
  process.limits = MemlockLimits{hard, hard};
  return process;
}

const std::vector<LockingProcess> kEdge = {
    Process(1, "/edge.slice/nginx.service", 3 * kMi),
    Process(2, "/edge.slice/nginx.service", 2 * kMi),
    Process(3, "/edge.slice/edge-web.slice/web.service", 4 * kMi),
    Process(4, "/system.slice/ssh.service", 9 * kMi)};

TEST(Budgets, ASliceIsSummedUpWithAllBelowIt) {
  const BudgetReport report = EvaluateBudgets(
      Budgets("{name: edge, selector: {matchSlices: [edge.slice]}, scope: Slice, limit: 10Mi}"),
      kEdge, kToday);
  ASSERT_EQ(report.states.size(), 1u);
  const BudgetState& state = report.states[0];
  EXPECT_EQ(state.subject, "/edge.slice");
  ASSERT_EQ(state.sources.size(), 1u);
  EXPECT_EQ(state.sources[0].used_bytes, 9 * kMi);
  EXPECT_EQ(state.sources[0].processes, 3u);
  EXPECT_EQ(state.level, BudgetLevel::kNear);  // 90 % of it, and 80 is the default
  EXPECT_EQ(state.sources[0].policy, "fleet");
  EXPECT_EQ(state.sources[0].at.ToString(), "test.yaml:4:18");
}

TEST(Budgets, EachThingOfTheScopeHasItsOwnSum) {
  const BudgetReport report =
      EvaluateBudgets(Budgets("{name: s, scope: Service, limit: 4Mi}"), kEdge, kToday);
  std::vector<std::string> subjects;
  std::vector<BudgetLevel> levels;
  for (const BudgetState& state : report.states) {
    subjects.push_back(state.subject);
    levels.push_back(state.level);
  }
  EXPECT_THAT(subjects, ElementsAre("/edge.slice/edge-web.slice/web.service",
                                    "/edge.slice/nginx.service", "/system.slice/ssh.service"));
  EXPECT_THAT(levels, ElementsAre(BudgetLevel::kNear, BudgetLevel::kOver, BudgetLevel::kOver));
}

TEST(Budgets, LevelsChangeAtTheirExactByte) {
  const auto level = [](uint64_t locked, const std::string& budget) {
    return EvaluateBudgets(Budgets(budget), {Process(1, "/a", locked)}, kToday).states.at(0).level;
  };
  const std::string half = "{name: b, scope: Process, limit: 1000, warnAtPercent: 50}";
  EXPECT_EQ(level(499, half), BudgetLevel::kWithin);
  EXPECT_EQ(level(500, half), BudgetLevel::kNear);
  EXPECT_EQ(level(1000, half), BudgetLevel::kNear);
  EXPECT_EQ(level(1001, half), BudgetLevel::kOver);
  EXPECT_EQ(level(0, "{name: b, scope: Process, limit: 0}"), BudgetLevel::kWithin);
  EXPECT_EQ(level(1, "{name: b, scope: Process, limit: 0}"), BudgetLevel::kOver);
  const std::string all = "{name: b, scope: Process, limit: 18446744073709551615}";
  EXPECT_EQ(level(UINT64_MAX / 2, all), BudgetLevel::kWithin);
  EXPECT_EQ(level(UINT64_MAX, all), BudgetLevel::kNear);
}

TEST(Budgets, TheLowestLimitBindsAndEachSourceIsShown) {
  const BudgetReport report = EvaluateBudgets(
      Budgets("{name: wide, scope: Service, limit: 64Mi},"
              "{name: tight, selector: {matchUnits: [ssh.service]}, scope: Service, limit: 8Mi}"),
      {kEdge[3]}, kToday);
  ASSERT_EQ(report.states.size(), 1u);
  ASSERT_EQ(report.states[0].sources.size(), 2u);
  EXPECT_EQ(report.states[0].sources[0].budget, "tight");
  EXPECT_EQ(report.states[0].sources[0].level, BudgetLevel::kOver);
  EXPECT_EQ(report.states[0].sources[1].level, BudgetLevel::kWithin);
  EXPECT_EQ(report.states[0].level, BudgetLevel::kOver);
}

TEST(Budgets, HardLimitsAreComparedWithTheLowestMaximum) {
  const auto breaches = [](std::optional<uint64_t> hard) {
    return EvaluateBudgets(Budgets("{name: a, scope: Process, maxRlimit: 1Gi},"
                                   "{name: b, scope: Slice, maxRlimit: 16Mi}"),
                           {Process(7, "/a.slice", 0, hard)}, kToday)
        .rlimits;
  };
  EXPECT_THAT(breaches(16 * kMi), IsEmpty());
  ASSERT_EQ(breaches(16 * kMi + 1).size(), 1u);
  EXPECT_EQ(breaches(16 * kMi + 1)[0].budget, "b");
  ASSERT_EQ(breaches(std::nullopt).size(), 1u);
  EXPECT_EQ(breaches(std::nullopt)[0].max_bytes, 16 * kMi);
  EXPECT_EQ(breaches(std::nullopt)[0].hard_limit, std::nullopt);
}

TEST(Budgets, ExceptionsDoNotCountUntilTheyExpire) {
  const std::vector<MemlockBudget> budgets = Budgets(
      "{name: a, scope: Slice, selector: {matchSlices: [edge.slice]}, limit: 6Mi, maxRlimit: "
      "1Mi, exceptions: [{matchUnits: [web.service], reason: r, expires: 2026-06-01}]}");
  const BudgetReport today = EvaluateBudgets(budgets, kEdge, kToday);
  EXPECT_EQ(today.states.at(0).sources[0].used_bytes, 5 * kMi);
  EXPECT_EQ(today.states.at(0).sources[0].excepted, 1u);
  EXPECT_EQ(today.rlimits.size(), 2u);
  const BudgetReport tomorrow = EvaluateBudgets(budgets, kEdge, kToday + 1);
  EXPECT_EQ(tomorrow.states.at(0).sources[0].used_bytes, 9 * kMi);
  EXPECT_EQ(tomorrow.states.at(0).level, BudgetLevel::kOver);
  EXPECT_EQ(tomorrow.rlimits.size(), 3u);
}

TEST(Budgets, KnowPodsContainersAndNamespaces) {
  const std::string uid = "12345678-1234-1234-1234-123456789abc", id(64, 'a');
  LockingProcess process =
      Process(1,
              "/kubepods.slice/kubepods-pod12345678_1234_1234_1234_123456789abc.slice/"
              "cri-containerd-" +
                  id + ".scope",
              kMi);
  process.facts.pod = PodFacts{"payments", "signer-0", {}};
  const auto subject = [&](const std::string& scope) -> std::string {
    const auto states = EvaluateBudgets(Budgets("{name: a, scope: " + scope + ", limit: 1Mi}"),
                                        {process, kEdge[0]}, kToday)
                            .states;
    return states.size() == 1 ? states[0].subject : "not one";
  };
  EXPECT_EQ(subject("Pod"), uid);
  EXPECT_EQ(subject("Container"), id);
  EXPECT_EQ(subject("Namespace"), "payments");
}

TEST(Budgets, DisabledOnesAreLeftOut) {
  EXPECT_THAT(EvaluateBudgets(Budgets("{name: a, scope: Process, limit: 1}", ", mode: Disabled"),
                              kEdge, kToday)
                  .states,
              IsEmpty());
}

}  // namespace
}  // namespace pagewarden
