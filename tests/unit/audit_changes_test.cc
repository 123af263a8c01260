// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/audit/changes.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kKiB = 1024;

ProcessRow Row(pid_t pid, uint64_t locked) {
  ProcessRow row;
  row.pid = pid;
  row.comm = "nginx";
  row.cgroup = "/a.service";
  row.locked_bytes = locked;
  row.soft_limit_bytes = row.hard_limit_bytes = 64 * kKiB;
  row.start_time_ns = 5;
  return row;
}

AuditReport Report(std::vector<ProcessRow> rows, absl::flat_hash_map<pid_t, Peak> peaks = {},
                   std::map<uid_t, uint64_t> residue = {}) {
  Snapshot snapshot;
  snapshot.source = "bpf";
  snapshot.processes = std::move(rows);
  snapshot.residue = std::move(residue);
  Observations seen;
  seen.process_peaks = std::move(peaks);
  ReportOptions options;
  options.observations = &seen;
  return BuildReport(std::move(snapshot), nullptr, "", options);
}

std::vector<std::string> Texts(const AuditReport& before, const AuditReport& after, GroupBy by) {
  std::vector<std::string> texts;
  for (const Change& change : ChangesBetween(before, after, by))
    texts.push_back(ChangeText(change));
  return texts;
}

TEST(ChangesBetween, NothingChangedSaysNothing) {
  const AuditReport report = Report({Row(1, 4096)}, {}, {{33, 4096}});
  for (const GroupBy by : {GroupBy::kCgroup, GroupBy::kProcess, GroupBy::kUid}) {
    EXPECT_THAT(Texts(report, report, by), IsEmpty());
  }
}

TEST(ChangesBetween, LockedByCgroupProcessOrUser) {
  const AuditReport before = Report({Row(1, 4096), Row(2, 8192)});
  const AuditReport after = Report({Row(1, 8192), Row(2, 4096)});
  EXPECT_THAT(Texts(before, after, GroupBy::kCgroup), IsEmpty());  // its sum is the same
  EXPECT_THAT(Texts(before, after, GroupBy::kProcess),
              ElementsAre("nginx[1] in /a.service locked 4 -> 8 KiB, a new peak",
                          "nginx[2] in /a.service locked 8 -> 4 KiB"));
  const AuditReport more = Report({Row(1, 16384), Row(2, 8192)});
  EXPECT_THAT(Texts(before, more, GroupBy::kCgroup),
              ElementsAre("/a.service locked 12 -> 24 KiB, a new peak"));
  EXPECT_THAT(Texts(before, more, GroupBy::kUid), ElementsAre("uid 0 locked 12 -> 24 KiB"));
}

TEST(ChangesBetween, PeakThatNoSnapshotSaw) {
  const AuditReport before = Report({Row(1, 4096)}, {{1, {4096, true}}});
  const AuditReport after = Report({Row(1, 4096)}, {{1, {65536, true}}});
  EXPECT_THAT(Texts(before, after, GroupBy::kProcess),
              ElementsAre("nginx[1] in /a.service peak 4 -> 64 KiB"));
}

TEST(ChangesBetween, LimitsDriftAndCoverageWhateverTheRows) {
  ProcessRow row = Row(1, 4096);
  row.shim_loaded = true;
  row.shim.emplace();
  const AuditReport before = Report({row});
  row.soft_limit_bytes = 64;
  row.hard_limit_bytes.reset();
  row.drift_bytes = 4096;
  row.shim->uncovered = "lock_failed";
  const AuditReport after = Report({row});
  EXPECT_THAT(Texts(before, after, GroupBy::kCgroup),
              ElementsAre("nginx[1] in /a.service limit 65536 B (64 KiB) -> 64 B (0 KiB)",
                          "nginx[1] in /a.service hard limit 65536 B (64 KiB) -> unlimited",
                          "nginx[1] in /a.service drift 0 -> 4 KiB",
                          "nginx[1] in /a.service uncovered: its secrets are not fenced: lock "
                          "failed"));
  EXPECT_EQ(Texts(after, before, GroupBy::kCgroup).back(), "nginx[1] in /a.service covered again");
}

TEST(ChangesBetween, LimitOfAProcessThatWasQuiet) {
  const AuditReport before = Report({});
  AuditReport after = Report({Row(1, 0)});
  EXPECT_THAT(Texts(before, after, GroupBy::kCgroup), IsEmpty());
  after.limits_before[1] = {32768, 65536};
  EXPECT_THAT(Texts(before, after, GroupBy::kCgroup),
              ElementsAre("nginx[1] in /a.service limit 32768 B (32 KiB) -> 65536 B (64 KiB)"));
}

TEST(ChangesBetween, StartAndEnd) {
  const AuditReport none = Report({});
  const AuditReport one = Report({Row(1, 4096)});
  EXPECT_THAT(Texts(none, one, GroupBy::kProcess),
              ElementsAre("nginx[1] in /a.service locked 0 -> 4 KiB, a new peak"));
  EXPECT_THAT(Texts(one, none, GroupBy::kProcess),
              ElementsAre("nginx[1] in /a.service locked 4 -> 0 KiB, ended"));
  EXPECT_THAT(Texts(one, none, GroupBy::kCgroup), ElementsAre("/a.service locked 4 -> 0 KiB"));
}

TEST(ChangesBetween, APidThatIsUsedAgainIsAnotherProcess) {
  ProcessRow other = Row(1, 8192);
  other.start_time_ns = 6;
  other.soft_limit_bytes = other.hard_limit_bytes = std::nullopt;
  EXPECT_THAT(Texts(Report({Row(1, 4096)}), Report({other}), GroupBy::kProcess),
              ElementsAre("nginx[1] in /a.service locked 4 -> 0 KiB, ended",
                          "nginx[1] in /a.service locked 0 -> 8 KiB, a new peak"));
}

TEST(ChangesBetween, ResidueOfAUser) {
  EXPECT_THAT(Texts(Report({}), Report({}, {}, {{33, 65536}}), GroupBy::kCgroup),
              ElementsAre("uid 33 residue 0 -> 64 KiB"));
}

TEST(ChangeJson, IsOneObjectALine) {
  const auto changes =
      ChangesBetween(Report({Row(1, 4096)}), Report({Row(1, 8192)}), GroupBy::kProcess);
  ASSERT_EQ(changes.size(), 1u);
  const std::string line = ChangeJson(changes[0], absl::FromUnixSeconds(0));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(nlohmann::json::parse(line), nlohmann::json::parse(R"({"type": "change",
      "time": "1970-01-01T00:00:00+00:00", "what": "locked", "cgroup": "/a.service", "pid": 1,
      "comm": "nginx", "from": 4096, "to": 8192, "newPeak": true})"));
}

TEST(ChangeJson, WritesNullForUnlimited) {
  ProcessRow row = Row(1, 0);
  const AuditReport before = Report({row});
  row.soft_limit_bytes.reset();
  const auto changes = ChangesBetween(before, Report({row}), GroupBy::kCgroup);
  ASSERT_EQ(changes.size(), 1u);
  const auto json = nlohmann::json::parse(ChangeJson(changes[0], absl::UnixEpoch()));
  EXPECT_EQ(json["what"], "softLimit");
  EXPECT_EQ(json["from"], 65536);
  EXPECT_TRUE(json["to"].is_null());
}

TEST(ChangeText, ANameCannotForgeALine) {
  ProcessRow row = Row(1, 4096);
  row.comm = "a\nb";
  row.cgroup = "/x\x1b[2J";
  EXPECT_THAT(Texts(Report({}), Report({row}), GroupBy::kProcess),
              ElementsAre("a\\x0ab[1] in /x\\x1b[2J locked 0 -> 4 KiB, a new peak"));
}

}  // namespace
}  // namespace pagewarden
