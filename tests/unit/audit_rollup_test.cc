// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "agent/audit/rollup.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kPage = 4096;

ProcessRow Row(pid_t pid, const std::string& cgroup, uint64_t locked) {
  ProcessRow row;
  row.pid = pid;
  row.cgroup = cgroup;
  row.locked_bytes = locked;
  row.soft_limit_bytes = 100 * kPage;
  return row;
}

AuditReport Build(std::vector<ProcessRow> rows, const ReportOptions& options = {},
                  const CgroupHierarchy* hierarchy = nullptr) {
  Snapshot snapshot;
  snapshot.source = "bpf";
  snapshot.processes = std::move(rows);
  return BuildReport(std::move(snapshot), hierarchy, "", options);
}

std::vector<std::string> Paths(const AuditReport& report) {
  std::vector<std::string> paths;
  for (const CgroupRow& row : report.cgroups) paths.push_back(row.path);
  return paths;
}

const CgroupRow& At(const AuditReport& report, absl::string_view path) {
  for (const CgroupRow& row : report.cgroups) {
    if (row.path == path) return row;
  }
  ADD_FAILURE() << "no " << path;
  return report.cgroups.front();
}

TEST(RollUp, AddsParentsAndCountsEachProcessOnce) {
  // "/a-b" sorts between "/a" and "/a/b".
  const AuditReport report =
      Build({Row(1, "/a", 1 * kPage), Row(2, "/a/b", 2 * kPage), Row(3, "/a/b/c/d", 4 * kPage),
             Row(4, "/a-b", 8 * kPage), Row(5, "/a/b", 16 * kPage)});
  EXPECT_THAT(Paths(report), ElementsAre("/", "/a", "/a-b", "/a/b", "/a/b/c", "/a/b/c/d"));
  EXPECT_EQ(At(report, "/").own.locked_bytes, 0u);
  EXPECT_EQ(At(report, "/").own.processes, 0u);
  EXPECT_EQ(At(report, "/").subtree.locked_bytes, 31 * kPage);
  EXPECT_EQ(At(report, "/").subtree.processes, 5u);
  EXPECT_EQ(At(report, "/a").own.locked_bytes, 1 * kPage);
  EXPECT_EQ(At(report, "/a").subtree.locked_bytes, 23 * kPage);
  EXPECT_EQ(At(report, "/a/b").own.locked_bytes, 18 * kPage);
  EXPECT_EQ(At(report, "/a/b").subtree.locked_bytes, 22 * kPage);
  EXPECT_EQ(At(report, "/a/b/c").subtree.locked_bytes, 4 * kPage);
  EXPECT_EQ(At(report, "/a-b").subtree.locked_bytes, 8 * kPage);

  uint64_t all = 0;
  for (const CgroupRow& row : report.cgroups) all += row.own.locked_bytes;
  EXPECT_EQ(all, 31 * kPage);
}

TEST(RollUp, CarriesTheTightestAndTheWorstUp) {
  std::vector<ProcessRow> rows = {Row(1, "/a/x", kPage), Row(2, "/a/y", 40 * kPage)};
  rows[0].soft_limit_bytes = 2 * kPage;
  rows[1].pinned_bytes = 3 * kPage;
  const AuditReport report = Build(std::move(rows));
  const CgroupSums& sums = At(report, "/a").subtree;
  EXPECT_EQ(sums.limit_min_bytes, 2 * kPage);
  EXPECT_EQ(sums.usage_max_ratio, 0.5);
  EXPECT_EQ(sums.pinned_bytes, 3 * kPage);
  EXPECT_EQ(sums.recommendation.largest.pid, 2);  // of all processes, not a sum
  EXPECT_EQ(At(report, "/a").own.recommendation.limit_bytes, 0u);
}

TEST(RollUp, EndsAtTheSelection) {
  ReportOptions options;
  options.top = "/a";
  EXPECT_THAT(Paths(Build({Row(1, "/a/b/c", kPage)}, options)),
              ElementsAre("/a", "/a/b", "/a/b/c"));
  EXPECT_THAT(Paths(Build({}, options)), ElementsAre("/a"));
  options.top.reset();
  EXPECT_THAT(Paths(Build({Row(1, "/a/b/c", kPage)}, options)), ElementsAre("/a/b/c"));
}

TEST(RollUp, KeepsWhatIsOutsideTheNamespaceApart) {
  const AuditReport report = Build({Row(1, "/../other", kPage), Row(2, "/a", kPage)});
  EXPECT_THAT(Paths(report), ElementsAre("/", "/../other", "/a"));
  EXPECT_EQ(At(report, "/").subtree.locked_bytes, kPage);
}

TEST(RollUp, TakesPeaksAndRefusalsFromAWatch) {
  Observations seen;
  seen.watched = absl::Seconds(5);
  seen.process_peaks[1] = {9 * kPage, true};
  seen.cgroup_peaks["/a/b"] = {9 * kPage, true};
  seen.sampled_cgroups["/a"].subtree_bytes = 11 * kPage;
  seen.denials["/a/gone"].by_reason["OVER_LIMIT"] = 3;
  seen.denials["/a/gone"].privileged_bypasses = 2;
  ReportOptions options;
  options.observations = &seen;
  const AuditReport report = Build({Row(1, "/a/b", kPage), Row(2, "/a", 2 * kPage)}, options);
  EXPECT_EQ(report.peaks.at(1).bytes, 9 * kPage);
  EXPECT_TRUE(report.peaks.at(1).exact);
  EXPECT_FALSE(report.peaks.at(2).exact);
  EXPECT_TRUE(At(report, "/a/b").subtree.peak.exact);
  EXPECT_EQ(At(report, "/a").own.peak.bytes, 2 * kPage);
  EXPECT_EQ(At(report, "/a").subtree.peak.bytes, 11 * kPage);
  EXPECT_FALSE(At(report, "/a").subtree.peak.exact);
  EXPECT_EQ(At(report, "/a/gone").own.processes, 0u);
  EXPECT_EQ(At(report, "/").subtree.denials.by_reason.at("OVER_LIMIT"), 3u);
  EXPECT_EQ(At(report, "/").subtree.denials.privileged_bypasses, 2u);
  EXPECT_EQ(At(report, "/").own.denials.Total(), 0u);
}

// A tree of files in the place of a mounted hierarchy.
class UnevictableFigure : public ::testing::Test {
 protected:
  CgroupHierarchy Mount(const std::string& line) {
    directory_.Write("proc/self/mountinfo", line);
    auto hierarchy = CgroupHierarchy::Find(directory_.path());
    EXPECT_TRUE(hierarchy.ok()) << hierarchy.status();
    return *hierarchy;
  }

  const TempDirectory directory_;
};

TEST_F(UnevictableFigure, OfV2IsOfTheSubtree) {
  directory_.Write("sys/fs/cgroup/a/memory.stat", "anon 5\nunevictable 12288\n");
  directory_.Write("sys/fs/cgroup/a/b/memory.stat", "unevictable 8192\n");
  const CgroupHierarchy hierarchy = Mount("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  const AuditReport report = Build({Row(1, "/a/b", kPage)}, {}, &hierarchy);
  EXPECT_EQ(report.cgroup_version, CgroupVersion::kV2);
  EXPECT_EQ(At(report, "/a").own.unevictable_bytes, std::nullopt);
  EXPECT_EQ(At(report, "/a").subtree.unevictable_bytes, 12288u);  // not 12288 + 8192
  EXPECT_EQ(At(report, "/a/b").subtree.unevictable_bytes, 8192u);
  EXPECT_EQ(At(report, "/").subtree.unevictable_bytes, std::nullopt);
}

TEST_F(UnevictableFigure, OfV1IsBoth) {
  directory_.Write("sys/fs/cgroup/memory/a/memory.stat",
                   "unevictable 4096\ntotal_unevictable 12288\n");
  const CgroupHierarchy hierarchy = Mount(
      "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "36 31 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  const AuditReport report = Build({Row(1, "/a", kPage)}, {}, &hierarchy);
  EXPECT_EQ(report.cgroup_version, CgroupVersion::kV1);
  EXPECT_EQ(At(report, "/a").own.unevictable_bytes, 4096u);
  EXPECT_EQ(At(report, "/a").subtree.unevictable_bytes, 12288u);
}

}  // namespace
}  // namespace pagewarden
