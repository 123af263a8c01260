// SPDX-License-Identifier: Apache-2.0
// What is around and in the table of cgroups: the tree, its notes, its reasons for being empty.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/audit/cgroup_tree.h"
#include "agent/audit/formats.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr uint64_t kMiB = 1 << 20;
const std::string kId = "0f8a4e2b6c1d" + std::string(52, '7');

ProcessRow Row(pid_t pid, const std::string& cgroup, uint64_t locked) {
  ProcessRow row;
  row.pid = pid;
  row.comm = "locker";
  row.cgroup = cgroup;
  row.locked_bytes = locked;
  row.soft_limit_bytes = row.hard_limit_bytes = 64 * kMiB;
  return row;
}

AuditReport Report(std::vector<ProcessRow> rows) {
  Snapshot snapshot;
  snapshot.source = "bpf";
  snapshot.processes = std::move(rows);
  return BuildReport(std::move(snapshot), nullptr, "");
}

std::vector<std::string> Lines(const AuditReport& report, const TableOptions& options = {}) {
  std::vector<std::string> lines;
  for (const CgroupLine& line : CgroupLines(report, options)) {
    const CgroupSums& sums = line.itself ? line.row->own : line.row->subtree;
    lines.push_back(std::string(line.depth, '>') + line.label + " " +
                    std::to_string(sums.locked_bytes / kMiB));
  }
  return lines;
}

TEST(CgroupLines, HeaviestSubtreeFirstAndItsOwnProcessesApart) {
  EXPECT_THAT(Lines(Report({Row(1, "/a", kMiB), Row(2, "/a/x", 2 * kMiB), Row(3, "/b", 9 * kMiB),
                            Row(4, "/idle", 0), Row(5, "/a/y", 4 * kMiB)})),
              ElementsAre("/ 16", ">b 9", ">a 7", ">>(itself) 1", ">>y 4", ">>x 2"));
}

TEST(CgroupLines, AChainIsOneLineWithShortIds) {
  EXPECT_THAT(
      Lines(
          Report({Row(1, "/kubepods.slice/kubepods-burstable.slice/docker-" + kId + ".scope", kMiB),
                  Row(2, "/b", kMiB)})),
      ElementsAre("/ 2", ">b 1",
                  ">kubepods.slice/kubepods-burstable.slice/docker-0f8a4e2b6c1d.scope 1"));
}

TEST(CgroupLines, DepthKeepsTheSums) {
  const AuditReport report = Report({Row(1, "/a/b/c", kMiB), Row(2, "/a/d", 2 * kMiB)});
  TableOptions options;
  options.depth = 1;
  EXPECT_THAT(Lines(report, options), ElementsAre("/ 3", ">a 3"));
  options.depth = 0;
  EXPECT_THAT(Lines(report, options), ElementsAre("/ 3"));
}

TEST(CgroupLines, WithoutRollUpThereAreWholePaths) {
  Snapshot snapshot;
  snapshot.processes = {Row(1, "/a/b", kMiB)};
  ReportOptions options;
  options.top.reset();
  EXPECT_THAT(Lines(BuildReport(std::move(snapshot), nullptr, "", options)), ElementsAre("/a/b 1"));
}

TEST(CgroupLines, AllShowsWhatLocksNothing) {
  TableOptions options;
  EXPECT_THAT(Lines(Report({Row(1, "/a", 0)})), IsEmpty());
  options.all = true;
  EXPECT_THAT(Lines(Report({Row(1, "/a", 0)}), options), ElementsAre("/ 0", ">a 0"));
}

TEST(FormatTableReport, SaysWhyItIsEmpty) {
  EXPECT_EQ(
      FormatTableReport(Report({Row(1, "/a", 0)}), {}),
      "none of 2 cgroups locks or pins memory, or runs the shim (--all shows them); locked 0, "
      "pinned 0; source: bpf\n");
  TableOptions by_process;
  by_process.by = GroupBy::kProcess;
  EXPECT_THAT(FormatTableReport(Report({}), by_process),
              HasSubstr("no processes: no process is in the selection"));
}

TEST(FormatTableReport, NamesFindingsUnderTheTable) {
  ProcessRow row = Row(7, "/a", 4096);
  row.drift_bytes = 4096;
  EXPECT_THAT(FormatTableReport(Report({row}), {}),
              HasSubstr("\nwarning: drift: locker[7]: VmLck is 4096 B (4 KiB), 4096 B (4 KiB) more "
                        "than its locked mappings; the limit is checked against VmLck\n"));
}

TEST(FormatTableReport, CutsManyFindingsOfAKind) {
  std::vector<ProcessRow> rows;
  for (pid_t pid = 1; pid <= 8; ++pid) {
    rows.push_back(Row(pid, "/a", 4096));
    rows.back().drift_bytes = 4096;
  }
  const std::string text = FormatTableReport(Report(std::move(rows)), {});
  EXPECT_THAT(text, HasSubstr("drift: locker[5]"));
  EXPECT_THAT(text, Not(HasSubstr("drift: locker[6]")));
  EXPECT_THAT(text, HasSubstr("warning: drift: 3 more like these (--json has all)\n"));
}

TEST(FormatTableReport, NamesWhoHoldsTheResidue) {
  AuditReport report = Report({Row(7, "/a", 4096)});
  UidResidue& residue = report.residue_details[33];
  residue.residue_bytes = 3 * kMiB;
  residue.explained_bytes = kMiB;
  residue.holders = {{"io_uring", 7, "locker", 1, kMiB}, {"perf", 8, "p\x1b", 2, std::nullopt}};
  LockedSegment segment;
  segment.shmid = 5;
  segment.bytes = 8192;
  segment.ipc_namespace = 4026531839;
  residue.segments = {segment, segment};
  residue.segments[1].shmid = 6;
  const std::string text = FormatTableReport(report, {});
  EXPECT_THAT(text, HasSubstr("residue: uid 33 is charged 3 MiB that is in no process's LOCKED: "
                              "io_uring 1 MiB by locker[7], perf ? by p\\x1b[8]; 2 MiB by no open "
                              "file that could be read\n"));
  EXPECT_THAT(text, HasSubstr("SHM_LOCK: uid 33 has 16 KiB locked in shared memory (shmid 5, 6), "
                              "ipc namespace 4026531839\n"));
}

TEST(FormatTableReport, ShowsPeaksAndRefusalsOfAWatch) {
  Observations seen;
  seen.watched = absl::Seconds(5);
  seen.process_peaks[1] = {8 * kMiB, true};
  seen.cgroup_peaks["/a"] = {8 * kMiB, true};
  seen.denials["/a"].by_reason["OVER_LIMIT"] = 3;
  Snapshot snapshot;
  snapshot.source = "bpf";
  snapshot.processes = {Row(1, "/a", kMiB)};
  ReportOptions options;
  options.observations = &seen;
  const std::string text =
      FormatTableReport(BuildReport(std::move(snapshot), nullptr, "", options), {});
  EXPECT_THAT(text, HasSubstr("LOCKED    PEAK  UNEVICT"));
  EXPECT_THAT(text, HasSubstr("\n  a         1   1 MiB   8 MiB  "));
  EXPECT_THAT(text, HasSubstr("\n/           1   1 MiB  ~8 MiB  "));
  EXPECT_THAT(text, HasSubstr("warning: denied: /a: refused 3 times: OVER_LIMIT 3\n"));
}

TEST(FormatHooks, NamesWhatWasRefusedBefore) {
  EXPECT_EQ(FormatHooks({}), "no hook is in use: everything is read from /proc\n");
  HookReport hook;
  hook.question = "denials";
  hook.hook = "kprobe/cap_capable";
  hook.refused = {"tp_btf/cap_capable: No such file or directory"};
  hook.runs = 4;
  hook.run_time_ns = 1000;
  hook.lost = 2;
  EXPECT_EQ(FormatHooks({hook}),
            "QUESTION  HOOK                RUNS   A RUN  LOST\n"
            "denials   kprobe/cap_capable     4  250 ns     2\n"
            "\n"
            "refused for denials: tp_btf/cap_capable: No such file or directory\n");
  hook.hook = "";
  EXPECT_THAT(FormatHooks({hook}), HasSubstr("denials   none"));
}

TEST(FormatExplanation, ShowsEveryTerm) {
  ProcessRow row = Row(7, "/system.slice/nginx.service", 3 * kMiB);
  row.shim.emplace();
  row.shim_loaded = true;
  ShimArena arena;
  arena.capacity_bytes = 2 * kMiB;
  arena.locked_bytes = kMiB;
  arena.backing = abi::ArenaBacking::kLockedAnonymous;
  row.shim->arenas = {arena};
  row.pinned_bytes = 4096;
  row.soft_limit_bytes = kMiB;
  EXPECT_EQ(
      FormatExplanation(Report({row, Row(8, "/system.slice/nginx.service", kMiB)})),
      "/system.slice/nginx.service\n"
      "  the limit is each process's own; of 2 processes locker[7] needs most:\n"
      "  peak of VmLck                      3145728 B        3072 KiB   sampled: one snapshot; "
      "--watch sees more\n"
      "  + arenas not locked yet            1048576 B        1024 KiB   ledger of the shim\n"
      "  = locked                           4194304 B        4096 KiB   compared alone with the "
      "limit\n"
      "  pinned (VmPin)                        4096 B           4 KiB   compared alone with the "
      "limit, not added\n"
      "  need: the largest                  4194304 B        4096 KiB\n"
      "  + headroom of a quarter            1048576 B        1024 KiB\n"
      "  = rounded up to 64 KiB             5242880 B        5120 KiB   recommended\n"
      "  now: 1048576 B (1024 KiB) in the process with the least: too little\n"
      "  set: LimitMEMLOCK=5242880 under [Service] in a drop-in of nginx.service\n"
      "  all of them have locked at most 4194304 B (4096 KiB) together: what the cgroup's memory "
      "limit must leave room for\n");
  EXPECT_THAT(FormatExplanation(Report({Row(1, "/a", 0)})), HasSubstr("no limit is needed"));
}

TEST(FormatExplanation, NamesTheSettingInItsOwnUnit) {
  const std::string session = "/user.slice/user-1000.slice/session-1.scope";
  EXPECT_THAT(FormatExplanation(Report({Row(1, session, kMiB)})),
              HasSubstr("set: USER - memlock 1280 in limits.conf, which counts KiB\n"));
  EXPECT_THAT(FormatExplanation(Report({Row(1, "/docker/" + kId, kMiB)})),
              HasSubstr("set: --ulimit memlock=1310720:1310720\n"));
  EXPECT_THAT(FormatExplanation(Report({Row(1, "/lxc/web", kMiB)})),
              HasSubstr("set: limits.kernel.memlock 1310720 (LXD)\n"));
}

}  // namespace
}  // namespace pagewarden
