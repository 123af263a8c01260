// SPDX-License-Identifier: Apache-2.0
// From reasons to codes and fixes, where no kernel here can bring the state about.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>

#include <cerrno>

#include "agent/doctor/checks.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kIpcLock = uint64_t{1} << CAP_IPC_LOCK;

Case Program() {
  Case subject;
  subject.name = "program[7]";
  subject.facts.pid = 7;
  return subject;
}

// mlock of 1 MiB over a limit of 96 KiB.
Attempt Refused() {
  Attempt attempt;
  attempt.call = LockCall::kMlock;
  attempt.result = -ENOMEM;
  attempt.request_bytes = 1 << 20;
  attempt.soft_limit_bytes = 98304;
  attempt.hard_limit_bytes = 98304;
  attempt.capability_asked = true;
  attempt.capability_refusals = 2;
  return attempt;
}

Finding First(const Case& subject, const Attempt& attempt) {
  const Findings findings = FindingsOfVerdict(subject, attempt, Classify(attempt), true);
  return findings.empty() ? Finding() : findings.front();
}

TEST(Verdict, OfASecurityModuleIsNamedByItsLabels) {
  Case subject = Program();
  Attempt attempt = Refused();
  attempt.cap_effective = kIpcLock;  // and yet the kernel was told no
  subject.facts.security_label = "/usr/sbin/program (enforce)";
  Finding finding = First(subject, attempt);
  EXPECT_EQ(CodeName(finding.code), "PW018");
  EXPECT_EQ(finding.fixes.back().content, "capability ipc_lock,\n");
  subject.facts.security_label = "system_u:system_r:program_t:s0";
  finding = First(subject, attempt);
  EXPECT_EQ(CodeName(finding.code), "PW019");
  EXPECT_THAT(finding.fixes.back().content, HasSubstr("capability ipc_lock;"));
}

TEST(Verdict, OfALimitHasTheNumberWithHeadroom) {
  const Finding finding = First(Program(), Refused());
  EXPECT_EQ(CodeName(finding.code), "PW003");
  EXPECT_EQ(finding.reason, "OVER_LIMIT");
  EXPECT_EQ(finding.fixes.front().commands.front(), "prlimit --pid 7 --memlock=1310720:1310720");
}

TEST(Verdict, ThatNothingExplainsSaysSo) {
  Attempt attempt = Refused();
  attempt.result = -ENODEV;
  attempt.capability_refusals = 0;
  EXPECT_EQ(CodeName(First(Program(), attempt).code), "PW041");
}

TEST(Verdict, OfWhatWasGrantedIsNoFinding) {
  Attempt attempt = Refused();
  attempt.result = 0;
  attempt.request_bytes = 4096;
  EXPECT_TRUE(FindingsOfVerdict(Program(), attempt, Classify(attempt), true).empty());
}

TEST(Verdict, EveryReasonHasACode) {
  for (int i = static_cast<int>(Reason::kSeccomp); i < static_cast<int>(Reason::kUnknown); ++i) {
    EXPECT_NE(CodeOf(static_cast<Reason>(i)), FindingCode::kUnexplained)
        << ReasonCode(static_cast<Reason>(i));
  }
}

TEST(Codes, AreNumberedWithoutGaps) {
  int number = 0;
  for (const CodeEntry& entry : AllCodes()) {
    EXPECT_EQ(static_cast<int>(entry.code), ++number);
    EXPECT_EQ(&EntryOf(entry.code) - &EntryOf(FindingCode::kLockingForbidden), number - 1);
  }
  EXPECT_EQ(number, static_cast<int>(FindingCode::kUnexplained));
}

TEST(RecommendedLimit, IsInWholePagesAndSaturates) {
  EXPECT_EQ(RecommendedLimit(0, 1 << 20), 1310720u);
  EXPECT_EQ(RecommendedLimit(1, 0), 4096u);
  EXPECT_GE(RecommendedLimit(UINT64_MAX, UINT64_MAX), UINT64_MAX / 2);
}

TEST(ShellQuote, KeepsWordsAsTheyAre) {
  EXPECT_EQ(ShellQuote("/usr/bin/x-1.2"), "/usr/bin/x-1.2");
  EXPECT_EQ(ShellQuote("a b; rm"), "'a b; rm'");
  EXPECT_EQ(ShellQuote("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellQuote(""), "''");
}

TEST(Merging, JoinsProcessesOfOneNameAndDropsRepeats) {
  Finding first = MakeFinding(FindingCode::kNotInherited, "nginx[11]", "has nothing locked");
  first.pids = {11};
  Finding second = first;
  second.subject = "nginx[12]";
  second.pids = {12};
  const Finding info = MakeFinding(FindingCode::kUnlimited, "host", "x");
  const auto merged = MergeAndOrder({info, first, second, first});
  ASSERT_EQ(merged.size(), 2u);
  EXPECT_EQ(merged[0].subject, "nginx[11] and 1 more like it (12)");
  EXPECT_EQ(merged[0].fixes.front().summary, EntryOf(FindingCode::kNotInherited).fix);
  EXPECT_EQ(merged[1].subject, "host");
}

}  // namespace
}  // namespace pagewarden
