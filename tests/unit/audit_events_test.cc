// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "agent/audit/events.h"
#include "agent/audit/findings.h"
#include "agent/audit/watch_book.h"
#include "agent/audit/watch_gaps.h"

namespace pagewarden {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uint64_t kKiB = 1024;

WatchEvent Refused() {
  WatchEvent event;
  event.time = absl::UnixEpoch();
  event.pid = 4711;
  event.comm = "nginx";
  event.cgroup = "/a.service";
  Attempt attempt;
  attempt.call = LockCall::kMlock;
  attempt.result = -ENOMEM;
  attempt.request_bytes = 128 * kKiB;
  attempt.soft_limit_bytes = attempt.hard_limit_bytes = 64 * kKiB;
  event.verdict = Classify(attempt);
  event.attempt = attempt;
  return event;
}

WatchEvent Bypass() {
  WatchEvent event = Refused();
  event.attempt->result = 0;
  event.attempt->capability_asked = event.attempt->capability_granted = true;
  event.verdict = Classify(*event.attempt);
  return event;
}

TEST(EventText, NamesCallAmountAndReason) {
  EXPECT_THAT(EventText(Refused()),
              StartsWith("nginx[4711] in /a.service refused: mlock of 131072 B (128 KiB): "
                         "OVER_LIMIT"));
  EXPECT_THAT(EventText(Bypass()), HasSubstr(" allowed by CAP_IPC_LOCK: mlock of 131072 B"));
}

TEST(EventText, NamesAGuardHit) {
  WatchEvent event;
  event.pid = 1;
  event.comm = "a\n";
  event.guard_hit = GuardHit{0x7000, "before arena default", "/usr/lib/x.so", 0x12};
  EXPECT_EQ(EventText(event),
            "a\\x0a[1] guard hit: 0x7000, before arena default, by /usr/lib/x.so+0x12");
}

TEST(EventJson, HasTheAttemptAndItsReason) {
  const json event = json::parse(EventJson(Refused()));
  EXPECT_EQ(event["type"], "attempt");
  EXPECT_EQ(event["time"], "1970-01-01T00:00:00+00:00");
  EXPECT_EQ(event["call"], "mlock");
  EXPECT_EQ(event["result"], -ENOMEM);
  EXPECT_EQ(event["error"], "ENOMEM");
  EXPECT_EQ(event["refused"], true);
  EXPECT_EQ(event["reason"], "OVER_LIMIT");
  EXPECT_EQ(event["requestBytes"], 131072);
  EXPECT_EQ(event["softLimitBytes"], 65536);
  EXPECT_FALSE(event["explanation"].get<std::string>().empty());
  EXPECT_EQ(json::parse(EventJson(Bypass()))["refused"], false);
}

TEST(WatchBook, CountsRefusalsAndBypassesApart) {
  WatchBook book;
  book.Add(Refused());
  book.Add(Refused());
  book.Add(Bypass());
  const Observations seen = book.Observe(nullptr, absl::Seconds(3));
  const DenialCounts& counts = seen.denials.at("/a.service");
  EXPECT_EQ(counts.Total(), 2u);
  EXPECT_EQ(counts.by_reason.count(VerdictCode(*Refused().verdict)), 1u);
  EXPECT_EQ(counts.privileged_bypasses, 1u);
  EXPECT_EQ(seen.watched, absl::Seconds(3));
}

TEST(WatchBook, IsBounded) {
  WatchBook book;
  WatchEvent event = Refused();
  for (int i = 0; i < 5000; ++i) {
    event.cgroup = absl::StrCat("/", i);
    book.Add(event);
  }
  const Observations seen = book.Observe(nullptr, absl::Seconds(1));
  EXPECT_EQ(seen.denials.size(), 4097u);
  EXPECT_EQ(seen.denials.at("(others)").Total(), 5000u - 4096u);
}

AuditReport Report(uint64_t locked, uint64_t start) {
  Snapshot snapshot;
  snapshot.processes.resize(1);
  ProcessRow& row = snapshot.processes[0];
  row.pid = 1;
  row.cgroup = "/a/b";
  row.locked_bytes = locked;
  row.start_time_ns = start;
  return BuildReport(std::move(snapshot), nullptr, "");
}

TEST(WatchBook, KeepsTheHighestOfTheSnapshots) {
  WatchBook book;
  book.Add(Report(4096, 1));
  book.Add(Report(16384, 1));
  book.Add(Report(8192, 1));
  Observations seen = book.Observe(nullptr, absl::Seconds(1));
  EXPECT_EQ(seen.sampled_peaks.at(1).bytes, 16384u);
  EXPECT_EQ(seen.sampled_cgroups.at("/a/b").bytes, 16384u);
  EXPECT_EQ(seen.sampled_cgroups.at("/a").subtree_bytes, 16384u);
  book.Add(Report(4096, 2));  // another process, which has taken over the pid
  seen = book.Observe(nullptr, absl::Seconds(1));
  EXPECT_EQ(seen.sampled_peaks.at(1).bytes, 4096u);
  EXPECT_EQ(seen.sampled_cgroups.at("/a/b").bytes, 16384u);
}

// Before the book has heard of the process that has the pid now.
TEST(WatchBook, APeakIsNotInheritedWithThePid) {
  WatchBook book;
  book.Add(Report(1 << 20, 1));
  const Observations seen = book.Observe(nullptr, absl::Seconds(1));
  for (const uint64_t start : {1u, 2u}) {
    ReportOptions options;
    options.observations = &seen;
    Snapshot snapshot;
    snapshot.processes.resize(1);
    snapshot.processes[0].pid = 1;
    snapshot.processes[0].locked_bytes = 4096;
    snapshot.processes[0].start_time_ns = start;
    const AuditReport report = BuildReport(std::move(snapshot), nullptr, "", options);
    EXPECT_EQ(report.peaks.at(1).bytes, start == 1 ? 1u << 20 : 4096u);
  }
}

TEST(WatchBook, AGuardHitIsAFindingOfTheReport) {
  WatchEvent event;
  event.cgroup = "/a.service";
  event.guard_hit = GuardHit{0x7000, "before arena default", "/usr/lib/x.so", 0x12};
  WatchBook book;
  book.Add(event);
  const Observations seen = book.Observe(nullptr, absl::Seconds(1));
  ReportOptions options;
  options.observations = &seen;
  const auto findings = FindingsOf(BuildReport(Snapshot(), nullptr, "", options));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].severity, Severity::kError);
  EXPECT_EQ(findings[0].code, "guard-hit");
  EXPECT_EQ(findings[0].cgroup, "/a.service");
}

TEST(WatchBook, CountsWhatWasNotToldOneByOne) {
  WatchEvent event = Refused();
  event.attempt->repeats = 999;
  WatchBook book;
  book.Add(event);
  EXPECT_EQ(book.Observe(nullptr, absl::Seconds(1)).denials.at("/a.service").Total(), 1000u);
  EXPECT_THAT(EventText(event), HasSubstr("(and 999 more times)"));
}

HookReport Hook(const char* question, const char* hook, uint64_t lost = 0) {
  HookReport report;
  report.question = question;
  report.hook = hook;
  if (report.hook.empty()) report.refused = {"fexit/x: Operation not permitted"};
  report.lost = lost;
  return report;
}

TEST(GapsOf, WithoutResultsOnlyANote) {
  const WatchGaps gaps =
      GapsOf({Hook("denials", "tp_btf/cap_capable"), Hook("results", ""), Hook("faults", "a"),
              Hook("io_uring buffers", "b"), Hook("peaks", "c"), Hook("guard hits", "d")});
  EXPECT_TRUE(gaps.serious.empty());
  EXPECT_EQ(gaps.note,
            "not seen here : refusals that no limit caused (--trace-syscalls sees them); --hooks "
            "says why");
}

TEST(GapsOf, NobodySeesRefusals) {
  const WatchGaps gaps = GapsOf({Hook("peaks", "c"), Hook("guard hits", "")});
  ASSERT_EQ(gaps.serious.size(), 2u);
  EXPECT_EQ(gaps.serious[0], "refusals are not seen : no hook loads");
  EXPECT_EQ(gaps.serious[1], "guard hits are not seen : fexit/x: Operation not permitted");
}

TEST(LossOf, NamesTheQuestion) {
  EXPECT_EQ(LossOf({Hook("denials", "a")}), "");
  EXPECT_EQ(LossOf({Hook("denials", "a", 3), Hook("peaks", "b")}),
            "events were lost : 3 of denials");
}

}  // namespace
}  // namespace pagewarden
