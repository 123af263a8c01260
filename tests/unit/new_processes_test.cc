// SPDX-License-Identifier: Apache-2.0
// Which new processes are looked at when, and what becomes of the last report.
#include "agent/secrets/new_processes.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <numeric>

#include "agent/secrets/group_json.h"
#include "agent/secrets/report_merge.h"
#include "tests/unit/child.h"
#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

constexpr absl::Duration kSettle = absl::Seconds(2);
constexpr absl::Duration kRest = absl::Seconds(5);
constexpr size_t kMost = 3;
// Above the highest pid there is, so that they are nobody's children.
constexpr pid_t kNoPid = 1 << 22;

const absl::Time kStart = absl::FromUnixSeconds(1000);

SecretTargets Targets(std::vector<pid_t> pids) {
  static const auto* const set = new PolicySet(
      LoadValid("apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\nmetadata: {name: web}\n"
                "spec:\n  rules: [{match: {preset: openssl-private-keys}}]\n  secrets: [/a]\n"));
  return {std::shared_ptr<const PolicySet>(set, [](const PolicySet*) {}),
          {{"web", std::move(pids)}}};
}

std::vector<pid_t> Pids(int first, int count) {
  std::vector<pid_t> pids(static_cast<size_t>(count));
  std::iota(pids.begin(), pids.end(), kNoPid + first);
  return pids;
}

TEST(NewProcesses, AreDueOnceTheyHaveSettled) {
  NewProcesses fresh(kSettle, kRest, kMost);
  fresh.Update(Targets(Pids(0, 1)), Targets(Pids(0, 1)), kStart);
  EXPECT_EQ(fresh.due(), absl::InfiniteFuture());
  fresh.Update(Targets(Pids(0, 1)), Targets(Pids(0, 2)), kStart);
  EXPECT_EQ(fresh.due(), kStart + kSettle);
  const PidsByPolicy taken = fresh.Take(kStart + kSettle);
  EXPECT_EQ(taken, (PidsByPolicy{{"web", Pids(1, 1)}}));
  EXPECT_EQ(fresh.due(), absl::InfiniteFuture());
}

// However many there are, so many at a time, with a rest between.
TEST(NewProcesses, AStampedeIsBounded) {
  NewProcesses fresh(kSettle, kRest, kMost);
  SecretTargets before = Targets({});
  absl::Time now = kStart;
  size_t looked_at = 0;
  int looks = 0;
  for (int second = 0; second < 60; ++second, now += absl::Seconds(1)) {
    SecretTargets after = Targets(Pids(100 * second, 100));
    fresh.Update(before, after, now);
    before = after;
    if (fresh.due() > now) continue;
    ++looks;
    looked_at += fresh.Take(now).at("web").size();
    fresh.Rest(now, absl::ZeroDuration());
  }
  EXPECT_EQ(looks, 12);  // from second 2 on, every 5
  EXPECT_EQ(looked_at, kMost * 12);
}

TEST(NewProcesses, ALongLookMakesALongRest) {
  NewProcesses fresh(kSettle, kRest, kMost);
  fresh.Update(Targets(Pids(0, 1)), Targets(Pids(0, 6)), kStart);
  fresh.Take(kStart + kSettle);
  fresh.Rest(kStart + absl::Seconds(12), absl::Seconds(10));
  EXPECT_EQ(fresh.due(), kStart + absl::Seconds(52));
}

TEST(NewProcesses, WhatIsGoneOrKnownOrItsOwnIsNotLookedAt) {
  NewProcesses fresh(kSettle, kRest, kMost);
  fresh.Update(Targets({kNoPid}), Targets(Pids(0, 2)), kStart);
  fresh.Update(Targets(Pids(0, 2)), Targets({kNoPid}), kStart);
  EXPECT_EQ(fresh.due(), absl::InfiniteFuture());
  const Child child([] { return true; });
  fresh.Update(Targets({kNoPid}), Targets({kNoPid, child.pid()}), kStart);
  EXPECT_EQ(fresh.due(), absl::InfiniteFuture());
  fresh.Update(Targets({kNoPid}), Targets(Pids(0, 2)), kStart);
  fresh.Clear();
  EXPECT_EQ(fresh.due(), absl::InfiniteFuture());
}

SecretCopies Copies(pid_t pid, uint64_t unfenced) {
  SecretCopies copies;
  copies.policy = "web";
  copies.file = "/a";
  copies.pid = pid;
  copies.unfenced = unfenced;
  return copies;
}

TEST(ReportMerge, TakesThePlaceOfWhatWasKnownOfTheProcess) {
  SecretReport report;
  report.checked = kStart;
  report.copies = {Copies(1, 5), Copies(2, 6)};
  report.errors = {{"web", "/a", kSecretNotFound, "in none"}, {"web", "", kSecretProcess, "one"}};
  SecretReport found;
  found.checked = kStart + absl::Seconds(9);
  found.copies = {Copies(2, 0), Copies(3, 1)};
  found.errors = {{"web", "/b", kSecretNotFound, "in none"},
                  {"web", "", kSecretProcess, "another"},
                  {"web", "/c", "missing", "it is"}};
  AddToReport({{"web", {2, 3}}}, found, report);
  EXPECT_EQ(report.checked, kStart);
  ASSERT_EQ(report.copies.size(), 3u);
  EXPECT_EQ(report.copies[0].unfenced, 5u);
  EXPECT_EQ(report.copies[1].unfenced, 0u);
  EXPECT_EQ(report.copies[2].pid, 3);
  ASSERT_EQ(report.errors.size(), 2u);  // "not found" is over, as it was found
  EXPECT_EQ(report.errors[0].text, "one");
  EXPECT_EQ(report.errors[1].file, "/c");
}

TEST(GroupJson, ComesBackAsItWas) {
  GroupRequest request = {"web", {"/a \"b\""}, {7, 8}, true, true, absl::Milliseconds(1500), 0.25};
  const auto again = ParseGroupRequest(GroupRequestLine(request));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(GroupRequestLine(*again), GroupRequestLine(request));
  EXPECT_EQ(again->confirm_after, request.confirm_after);
  GroupResult result;
  result.copies = {Copies(7, 2)};
  result.copies[0].comm = "a\nb\xff";
  result.copies[0].where = {"text in [heap] (heap)"};
  result.errors = {{"web", "/a", "missing", "no"}};
  result.failures = 3;
  result.first_failure = "process 7: why";
  const std::string line = GroupResultLine(result);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto parsed = ParseGroupResult(line);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(GroupResultLine(*parsed), line);
  EXPECT_EQ(parsed->copies[0].where, result.copies[0].where);
}

TEST(GroupJson, AnythingElseIsAnError) {
  for (const char* line : {"", "{", "[]", "{}", "{\"policy\": 7}", "null"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseGroupRequest(line).status())) << line;
    EXPECT_TRUE(absl::IsInvalidArgument(ParseGroupResult(line).status())) << line;
  }
}

}  // namespace
}  // namespace pagewarden
