// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "agent/audit/formats.h"
#include "agent/audit/text.h"

namespace pagewarden {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t kMiB = 1 << 20;

ProcessRow Row(pid_t pid, const char* comm, const char* cgroup, uint64_t locked) {
  ProcessRow row;
  row.pid = pid;
  row.comm = comm;
  row.exe = "/usr/bin/program";
  row.cgroup = cgroup;
  row.locked_bytes = locked;
  row.soft_limit_bytes = 8 * kMiB;
  row.hard_limit_bytes = 8 * kMiB;
  return row;
}

ShimState Shim(const char* mode, bool active, uint64_t locked) {
  ShimState shim;
  shim.policy = "nginx-tls-keys";
  shim.mode = mode;
  shim.active = active;
  ShimArena arena;
  arena.name = "default";
  arena.capacity_bytes = kMiB;
  arena.used_bytes = 128;
  arena.locked_bytes = locked;
  arena.live_allocations = 2;
  arena.peak_page_bytes = 8192;
  arena.growths = 1;
  arena.backing = abi::ArenaBacking::kLockedAnonymous;
  shim.arenas = {arena};
  shim.relocks = 3;
  ShimTag rule;
  rule.name = "private-keys";
  rule.arena = "default";
  rule.is_rule = true;
  rule.live_allocations = 2;
  rule.live_bytes = 128;
  rule.peak_bytes = 256;
  rule.total_allocations = 9;
  ShimTag unused;
  unused.name = "default";
  unused.arena = "default";
  shim.tags = {rule, unused};
  return shim;
}

ProcessRow WithShim(ProcessRow row, std::optional<ShimState> shim) {
  row.shim_loaded = true;
  row.shim = std::move(shim);
  return row;
}

AuditReport Report(const std::string& source = "bpf") {
  Snapshot snapshot;
  snapshot.source = source;
  if (source == "bpf") snapshot.residue = {{33, 65536}};
  snapshot.processes = {
      Row(10, "quiet", "/user.slice", 0),
      WithShim(Row(20, "nginx", "/system.slice/nginx.service", 3 * kMiB),
               Shim("Enforce", true, kMiB)),
      Row(30, "vault", "/system.slice/vault.service", 6 * kMiB),
  };
  snapshot.processes[2].soft_limit_bytes.reset();
  snapshot.processes[2].hard_limit_bytes.reset();
  snapshot.processes[2].cap_ipc_lock = true;
  return BuildReport(std::move(snapshot), nullptr, "host1");
}

TableOptions Rows(GroupBy by, bool all = false) {
  TableOptions options;
  options.by = by;
  options.all = all;
  return options;
}

std::set<std::string> Keys(const json& object) {
  std::set<std::string> keys;
  for (const auto& item : object.items()) keys.insert(item.key());
  return keys;
}

const json& At(const json& report, const std::string& path) {
  for (const json& cgroup : report["cgroups"]) {
    if (cgroup["path"] == path) return cgroup;
  }
  ADD_FAILURE() << "no " << path;
  return report;
}

TEST(FormatJson, HasTheFieldsOfTheContract) {
  const json report = json::parse(FormatJson(Report()));
  EXPECT_EQ(Keys(report),
            (std::set<std::string>{"schemaVersion", "host", "source", "reconciledProcesses",
                                   "cgroupVersion", "watchedSeconds", "hooks", "coverage",
                                   "findings", "counterDifferences", "cgroups", "uids"}));
  EXPECT_TRUE(report["coverage"].is_null());
  EXPECT_EQ(report["schemaVersion"], 1);
  EXPECT_EQ(report["host"], "host1");
  EXPECT_EQ(report["source"], "bpf");
  EXPECT_EQ(report["uids"], json::parse(R"([{"uid": 33, "residueBytes": 65536}])"));
  EXPECT_EQ(report["watchedSeconds"], 0);
  const json& nginx = At(report, "/system.slice/nginx.service");
  EXPECT_EQ(Keys(nginx), (std::set<std::string>{
                             "path", "kind", "unit", "lockedBytes", "pinnedBytes",
                             "unevictableBytes", "peakLockedBytes", "peakQuality", "limitMinBytes",
                             "usageMaxRatio", "denials", "privilegedBypasses", "guardHits",
                             "recommendedLimitBytes", "recommendation", "subtree", "processes"}));
  EXPECT_EQ(nginx["path"], "/system.slice/nginx.service");
  EXPECT_EQ(nginx["unit"], "nginx.service");
  EXPECT_EQ(nginx["limitMinBytes"], 8 * kMiB);
  EXPECT_EQ(nginx["usageMaxRatio"], 0.375);
  EXPECT_EQ(nginx["denials"], json::object());
}

TEST(FormatJson, ShowsTheShim) {
  const json report = json::parse(FormatJson(Report()));
  const json& process = At(report, "/system.slice/nginx.service")["processes"][0];
  EXPECT_EQ(Keys(process),
            (std::set<std::string>{"pid", "comm", "exe", "uid", "lockedBytes", "pinnedBytes",
                                   "softLimitBytes", "hardLimitBytes", "capIpcLock", "driftBytes",
                                   "peakLockedBytes", "peakQuality", "limitRaisedBy",
                                   "capIpcLockState", "shim"}));
  EXPECT_EQ(process["shim"], json::parse(R"({"policy": "nginx-tls-keys", "mode": "Enforce",
      "arenas": [{"name": "default", "capacityBytes": 1048576, "usedBytes": 128,
                  "lockedBytes": 1048576, "liveAllocations": 2, "fallbacks": 0,
                  "backing": "LockedAnonymous", "peakPageBytes": 8192, "growths": 1}],
      "rules": [{"name": "private-keys", "arena": "default", "liveAllocations": 2,
                 "liveBytes": 128, "peakBytes": 256, "totalAllocations": 9, "audited": 0,
                 "fallbacks": {}}],
      "relocks": 3, "lockErrors": 0, "namespaces": 0, "violations": {}})"));
  EXPECT_FALSE(At(report, "/system.slice/vault.service")["processes"][0].contains("shim"));
}

TEST(FormatJson, ShowsWhatWentWrongInTheShim) {
  ShimState shim = Shim("Enforce", true, kMiB);
  shim.arenas[0].fallbacks = 5;
  shim.tags[0].fallbacks[abi::kFallbackCapacity] = 2;
  shim.tags[0].fallbacks[abi::kFallbackForked] = 3;
  shim.tags[1].total_allocations = 1;
  shim.lock_errors = 4;
  shim.lock_errno = EAGAIN;
  shim.pinned_bytes = 8192;
  shim.unpinned_bytes = 4096;
  shim.pin_errors = 7;
  shim.pin_errno = ENOMEM;
  shim.namespaces = 1;
  shim.reentered_frees = 6;
  shim.functions_in_executable = 7;
  shim.files_missed = 8;
  shim.violations[abi::kViolationWildFree] = 1;
  Snapshot snapshot;
  snapshot.processes = {WithShim(Row(1, "x", "/", 0), shim)};
  const json report = json::parse(FormatJson(BuildReport(std::move(snapshot), nullptr, "")));
  const json& shown = report["cgroups"][0]["processes"][0]["shim"];
  EXPECT_EQ(shown["arenas"][0]["fallbacks"], 5);
  ASSERT_EQ(shown["rules"].size(), 2u);
  EXPECT_EQ(shown["rules"][0]["fallbacks"], json::parse(R"({"Capacity": 2, "Forked": 3})"));
  EXPECT_FALSE(shown["rules"][0].contains("byName"));
  EXPECT_EQ(shown["rules"][1]["byName"], true);
  EXPECT_EQ(shown["lockErrors"], 4);
  EXPECT_EQ(shown["lastLockError"], "EAGAIN");
  EXPECT_EQ(shown["pinned"], json::parse(R"({"lockedBytes": 8192, "unlockedBytes": 4096,
                                              "errors": 7, "lastError": "ENOMEM"})"));
  EXPECT_EQ(shown["namespaces"], 1);
  EXPECT_EQ(shown["reenteredFrees"], 6);
  EXPECT_EQ(shown["functionsInExecutable"], 7);
  EXPECT_EQ(shown["filesMissed"], 8);
  EXPECT_EQ(shown["violations"], json::parse(R"({"WildFree": 1})"));
}

TEST(FormatJson, WritesNullForUnlimited) {
  const json report = json::parse(FormatJson(Report()));
  const json& vault = At(report, "/system.slice/vault.service");
  EXPECT_TRUE(vault["limitMinBytes"].is_null());
  EXPECT_TRUE(vault["processes"][0]["softLimitBytes"].is_null());
  EXPECT_TRUE(vault["processes"][0]["capIpcLock"].get<bool>());
}

TEST(FormatJson, SurvivesAnyName) {
  Snapshot snapshot;
  snapshot.processes = {Row(1, "\xff\"\n\x1b", "/", 0)};
  const json report = json::parse(FormatJson(BuildReport(std::move(snapshot), nullptr, "")));
  EXPECT_EQ(report["cgroups"][0]["processes"][0]["comm"], "\xef\xbf\xbd\"\n\x1b");
}

TEST(FormatJson, MarksAForgedLedger) {
  Snapshot snapshot;
  snapshot.processes = {WithShim(Row(1, "x", "/", 0), std::nullopt)};
  const json report = json::parse(FormatJson(BuildReport(std::move(snapshot), nullptr, "")));
  EXPECT_EQ(report["cgroups"][0]["processes"][0]["shim"]["uncovered"], "invalid_ledger");
}

TEST(FormatTableReport, ShowsWhoLocksFirstAndHidesTheRest) {
  EXPECT_EQ(FormatTableReport(Report(), Rows(GroupBy::kCgroup)),
            "CGROUP             PROCS  LOCKED  UNEVICT  PINNED                 LIMIT  USE%  SHIM\n"
            "/                      3   9 MiB        -       0  8388608 B (8192 KiB)   38%  -\n"
            "  system.slice         2   9 MiB        -       0  8388608 B (8192 KiB)   38%  -\n"
            "    vault.service      1   6 MiB        -       0             unlimited     -  -\n"
            "    nginx.service      1   3 MiB        -       0  8388608 B (8192 KiB)   38%  "
            "nginx-tls-keys 1/1\n"
            "\n"
            "4 of 5 cgroups shown (--all for the rest); locked 9 MiB, pinned 0; source: bpf\n");
  const std::string all = FormatTableReport(Report("proc"), Rows(GroupBy::kCgroup, true));
  EXPECT_THAT(all, HasSubstr("\n  user.slice           1"));
  EXPECT_THAT(all, HasSubstr("5 of 5 cgroups shown; locked 9 MiB, pinned 0; source: /proc\n"));
}

TEST(FormatTableReport, ByProcess) {
  EXPECT_EQ(
      FormatTableReport(Report(), Rows(GroupBy::kProcess)),
      "PID  COMMAND  UID  LOCKED  PINNED                 LIMIT  HARD  USE%  CAP       RAISED "
      "BY   SHIM                CGROUP\n"
      " 30  vault      0   6 MiB       0             unlimited     =     -  ipc_lock  -       "
      "    -                   /system.../vault.service\n"
      " 20  nginx      0   3 MiB       0  8388608 B (8192 KiB)     =   38%  -         "
      "privileged  nginx-tls-keys 1/1  /system.../nginx.service\n"
      "\n"
      "2 of 3 processes shown (--all for the rest); locked 9 MiB, pinned 0; source: bpf\n");
}

TEST(FormatTableReport, ByUidShowsResidueOnlyWhereTheSourceKnowsIt) {
  EXPECT_THAT(FormatTableReport(Report(), Rows(GroupBy::kUid)), HasSubstr(" 33      0       0"));
  EXPECT_THAT(FormatTableReport(Report(), Rows(GroupBy::kUid)), HasSubstr("64 KiB         0\n"));
  EXPECT_THAT(FormatTableReport(Report("proc"), Rows(GroupBy::kUid)), HasSubstr("  -         0\n"));
}

TEST(FormatTableReport, CountsReconciledProcesses) {
  AuditReport report = Report();
  report.reconciled = 1;
  EXPECT_THAT(FormatTableReport(report, Rows(GroupBy::kCgroup)),
              HasSubstr("source: bpf, and /proc for 1 process it does not show\n"));
}

TEST(FormatPlain, IsOneRecordALine) {
  EXPECT_EQ(FormatPlain(Report(), GroupBy::kCgroup),
            "/\troot\t0\t0\t0\t-\t-\t0.0000\t0\t-\t0\tsampled\t3\t9437184\t0\t-\t9437184\n"
            "/system.slice\tslice\t0\t0\t0\t-\t-\t0.0000\t0\t-\t0\tsampled\t2\t9437184\t0\t-\t"
            "9437184\n"
            "/system.slice/nginx.service\tservice\t1\t3145728\t0\t-\t8388608\t0.3750\t5242880\t"
            "nginx-tls-keys 1/1\t3145728\tsampled\t1\t3145728\t0\t-\t3145728\n"
            "/system.slice/vault.service\tservice\t1\t6291456\t0\t-\t-\t0.0000\t7864320\t-\t"
            "6291456\tsampled\t1\t6291456\t0\t-\t6291456\n"
            "/user.slice\tslice\t1\t0\t0\t-\t8388608\t0.0000\t0\t-\t0\tsampled\t1\t0\t0\t-\t0\n");
  EXPECT_THAT(FormatPlain(Report(), GroupBy::kProcess),
              HasSubstr("30\tvault\t0\t/system.slice/vault.service\t6291456\t0\t-\t-\t1\t0\t"
                        "0.0000\t-\t6291456\tsampled\teffective\tunlimited\n"));
  EXPECT_EQ(FormatPlain(Report(), GroupBy::kUid),
            "0\t3\t9437184\t0\t0\t0\n33\t0\t0\t0\t65536\t0\n");
}

TEST(Formats, ANameCannotForgeALineOrDriveATerminal) {
  Snapshot snapshot;
  snapshot.processes = {Row(1, "a\n2\tb\x1b[2J", "/x\x1b]0;", kMiB)};
  const AuditReport report = BuildReport(std::move(snapshot), nullptr, "");
  for (const std::string& text : {FormatPlain(report, GroupBy::kProcess),
                                  FormatTableReport(report, Rows(GroupBy::kProcess, true)),
                                  FormatTableReport(report, Rows(GroupBy::kCgroup, true))}) {
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  }
  EXPECT_THAT(FormatPlain(report, GroupBy::kProcess), HasSubstr("a\\x0a2\\x09b\\x1b[2J\t"));
}

TEST(ShimSummary, CountsActiveOfSelected) {
  const ProcessRow bare = Row(1, "x", "/", 0);
  const ProcessRow good = WithShim(bare, Shim("Enforce", true, kMiB));
  const ProcessRow half = WithShim(bare, Shim("Enforce", true, kMiB / 2));
  ProcessRow failed = WithShim(bare, Shim("Enforce", false, 0));
  failed.shim->uncovered = "lock_failed";
  ProcessRow inactive = WithShim(bare, ShimState());
  EXPECT_EQ(ShimSummary({bare}), "-");
  EXPECT_EQ(ShimSummary({inactive, bare}), "no policy");
  EXPECT_EQ(ShimSummary({good, good, bare, inactive}), "nginx-tls-keys 2/2");
  EXPECT_EQ(ShimSummary({good, half}), "nginx-tls-keys 2/2 (1 not locked)");
  EXPECT_EQ(ShimSummary({good, failed}), "nginx-tls-keys 1/2; uncovered: lock failed");
  EXPECT_EQ(ShimSummary({WithShim(bare, Shim("Audit", true, 0))}),
            "nginx-tls-keys 1/1 (audit only)");
  EXPECT_EQ(ShimSummary({WithShim(bare, std::nullopt)}), "uncovered: invalid ledger");
}

class ShimNotes : public ::testing::Test {
 protected:
  // Of two processes that are the same.
  std::string Summary() const {
    const ProcessRow row = WithShim(Row(1, "x", "/", 0), shim_);
    return ShimSummary({row, row});
  }

  ShimState shim_ = Shim("Enforce", true, kMiB);
};

TEST_F(ShimNotes, CountWhatIsNotCovered) {
  EXPECT_EQ(Summary(), "nginx-tls-keys 2/2");
  shim_.arenas[0].fallbacks = 6;
  EXPECT_EQ(Summary(), "nginx-tls-keys 2/2 (12 fallbacks)");
  shim_.namespaces = 7;
  EXPECT_EQ(Summary(), "nginx-tls-keys 2/2 (12 fallbacks, 2 with dlmopen)");
  shim_.violations[abi::kViolationCanary] = 1;
  shim_.arenas[0].locked_bytes = 0;
  EXPECT_EQ(Summary(),
            "nginx-tls-keys 2/2 (2 not locked, 12 fallbacks, 2 with dlmopen, 2 violations)");
  shim_.arenas[0].fallbacks = ~uint64_t{0};
  EXPECT_THAT(Summary(), HasSubstr(" 18446744073709551615 fallbacks"));
}

TEST_F(ShimNotes, CountWhatIsOutOfReach) {
  shim_.functions_in_executable = 3;
  EXPECT_EQ(Summary(), "nginx-tls-keys 2/2 (2 with functions of their own)");
  shim_.files_missed = 4;
  EXPECT_EQ(Summary(),
            "nginx-tls-keys 2/2 (2 with functions of their own, 2 with too many secret files)");
}

TEST_F(ShimNotes, TellExcludedFromUnlocked) {
  shim_.arenas[0].backing = abi::ArenaBacking::kNotInherited;
  shim_.arenas[0].locked_bytes = 0;
  EXPECT_EQ(Summary(), "nginx-tls-keys 2/2 (2 not inherited)");
}

TEST_F(ShimNotes, TellWhatIsNotPinned) {
  shim_.pinned_bytes = 1 << 20;
  EXPECT_EQ(Summary(), "nginx-tls-keys 2/2");
  shim_.unpinned_bytes = 1;
  EXPECT_EQ(Summary(), "nginx-tls-keys 2/2 (2 not pinned in full)");
  shim_.mode = "Audit";
  EXPECT_EQ(Summary(), "nginx-tls-keys 2/2 (audit only)");
}

TEST_F(ShimNotes, ShowArenasWithoutAPolicy) {
  shim_.policy = "";
  EXPECT_EQ(Summary(), "(by name) 2/2");
}

TEST(HumanBytes, RoundsToThreeDigits) {
  EXPECT_EQ(HumanBytes(0), "0");
  EXPECT_EQ(HumanBytes(1), "1 B");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(65536), "64 KiB");
  EXPECT_EQ(HumanBytes(1310720), "1.2 MiB");
  EXPECT_EQ(HumanBytes(kMiB - 1), "1 MiB");
  EXPECT_EQ(HumanBytes(150 * kMiB + 700000), "151 MiB");
  EXPECT_EQ(HumanBytes(~uint64_t{0}), "16 EiB");
}

}  // namespace
}  // namespace pagewarden
