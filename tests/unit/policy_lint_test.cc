// SPDX-License-Identifier: Apache-2.0
// What is accepted and warned of: tests/cases/policy-warnings, each with exactly what is said
// (renewed as those of policy_goldens_test), and how selectors compare.
#include <gmock/gmock.h>

#include <fstream>

#include "agent/policy/lint.h"
#include "agent/policy/overlap.h"
#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

namespace fs = std::filesystem;

constexpr char kCases[] = SOURCE_ROOT "/tests/cases/policy-warnings/";
const absl::CivilDay kToday(2026, 6, 1);

class Warnings : public ::testing::TestWithParam<std::string> {};

TEST_P(Warnings, AreSaidInTheseWords) {
  Diagnostics diagnostics;
  const PolicySet set =
      LoadWithPresets(GetParam() + ".yaml", ReadFile(kCases + GetParam() + ".yaml"), diagnostics);
  EXPECT_EQ(diagnostics.Render(), "");
  LintPolicies(set, kToday, diagnostics);
  EXPECT_TRUE(diagnostics.empty());
  const std::string golden = kCases + GetParam() + ".expected";
  if (getenv("PAGEWARDEN_UPDATE_GOLDENS") != nullptr) std::ofstream(golden) << diagnostics.Render();
  EXPECT_EQ(diagnostics.Render(), ReadFile(golden));
}

INSTANTIATE_TEST_SUITE_P(Corpus, Warnings,
                         ::testing::Values("above_the_default_limit", "budgets_that_never_bind",
                                           "exception_for_all", "expired_exception",
                                           "lint_of_nothing_wrong", "rules_that_never_apply",
                                           "same_priority"),
                         [](const auto& info) { return info.param; });

TEST(Warnings, ShippedPoliciesAndBudgetsGiveNone) {
  PolicySet set;
  Diagnostics diagnostics;
  for (const char* below : {"/presets", "", "/budgets"}) {
    for (const auto& entry : fs::directory_iterator(ShippedPolicies() + below)) {
      if (entry.path().extension() != ".yaml") continue;
      LoadText(entry.path().string(), ReadFile(entry.path().string()), set, diagnostics);
    }
  }
  ResolveReferences(set, diagnostics);
  LintPolicies(set, kToday, diagnostics);
  EXPECT_EQ(diagnostics.Render(), "");
  EXPECT_GE(set.budgets.size(), 3u);
}

TEST(Overlap, OfPatternsIsExact) {
  EXPECT_TRUE(PatternsOverlap("a*", "*b"));
  EXPECT_TRUE(PatternsOverlap("a?c", "abc"));
  EXPECT_TRUE(PatternsOverlap("*", ""));
  EXPECT_TRUE(PatternsOverlap("a*c*e", "abcde"));
  EXPECT_TRUE(PatternsOverlap("*a*", "?b?c*a"));
  EXPECT_FALSE(PatternsOverlap("a*", "b*"));
  EXPECT_FALSE(PatternsOverlap("a?", "a"));
  EXPECT_FALSE(PatternsOverlap("*.service", "*.scope"));
  EXPECT_FALSE(PatternsOverlap("ab*ba", "aba"));
}

ProcessSelector Cgroups(std::vector<std::string> patterns) {
  ProcessSelector selector;
  selector.match_cgroups = std::move(patterns);
  return selector;
}

TEST(Overlap, ACgroupIsForAllBelowIt) {
  EXPECT_TRUE(SelectorsOverlap(Cgroups({"/a"}), Cgroups({"/a/b"})));
  EXPECT_TRUE(SelectorsOverlap(Cgroups({"/a/b"}), Cgroups({"/"})));
  EXPECT_TRUE(SelectorsOverlap(Cgroups({"/a*"}), Cgroups({"/ab/c"})));
  EXPECT_FALSE(SelectorsOverlap(Cgroups({"/a"}), Cgroups({"/ab", "/b/a"})));
}

TEST(Covers, IsNeverWrong) {
  EXPECT_TRUE(Covers({}, Cgroups({"/a"})));
  EXPECT_FALSE(Covers(Cgroups({"/a"}), {}));
  EXPECT_TRUE(Covers(Cgroups({"/a*"}), Cgroups({"/ab", "/a*b"})));
  EXPECT_FALSE(Covers(Cgroups({"/a*"}), Cgroups({"/ab", "/b"})));
  EXPECT_FALSE(Covers(Cgroups({"/a?c"}), Cgroups({"/a*c"})));  // "/abbc"
}

}  // namespace
}  // namespace pagewarden
