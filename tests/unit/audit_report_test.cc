// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "agent/audit/bpf_source.h"
#include "agent/audit/formats.h"
#include "agent/audit/locked_mappings.h"
#include "agent/audit/report.h"
#include "agent/audit/shim_details.h"
#include "tests/unit/fake_shim.h"

namespace pagewarden {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;

ProcessRow Row(pid_t pid, const char* cgroup, uint64_t locked, std::optional<uint64_t> soft) {
  ProcessRow row;
  row.pid = pid;
  row.cgroup = cgroup;
  row.locked_bytes = locked;
  row.soft_limit_bytes = soft;
  return row;
}

TEST(UsageRatio, ComparesWithTheSoftLimit) {
  EXPECT_EQ(UsageRatio(Row(1, "/", 2 * kMiB, 8 * kMiB)), 0.25);
  EXPECT_EQ(UsageRatio(Row(1, "/", 2 * kMiB, std::nullopt)), 0);
  EXPECT_EQ(UsageRatio(Row(1, "/", 0, 0)), 0);
  EXPECT_EQ(UsageRatio(Row(1, "/", 8192, 0)), 2);  // locked by capability
}

TEST(BuildReport, GroupsAndSums) {
  Snapshot snapshot;
  snapshot.source = "bpf";
  snapshot.reconciled = 2;
  snapshot.residue = {{33, 4096}};
  snapshot.processes = {Row(1, "/b", kMiB, 8 * kMiB), Row(2, "/a", 0, std::nullopt),
                        Row(3, "/b", kMiB, 2 * kMiB), Row(4, "/b", 0, std::nullopt)};
  snapshot.processes[0].pinned_bytes = 4096;
  const AuditReport report = BuildReport(std::move(snapshot), nullptr, "host");
  EXPECT_EQ(report.host, "host");
  EXPECT_EQ(report.reconciled, 2u);
  ASSERT_EQ(report.cgroups.size(), 3u);
  EXPECT_EQ(report.cgroups[0].path, "/");
  EXPECT_EQ(report.cgroups[1].path, "/a");
  EXPECT_EQ(report.cgroups[1].own.limit_min_bytes, std::nullopt);
  const CgroupRow& b = report.cgroups[2];
  EXPECT_EQ(b.own.locked_bytes, 2 * kMiB);
  EXPECT_EQ(b.own.pinned_bytes, 4096u);
  EXPECT_EQ(b.own.peak.bytes, 2 * kMiB);
  EXPECT_EQ(b.own.limit_min_bytes, 2 * kMiB);
  EXPECT_EQ(b.own.usage_max_ratio, 0.5);
  EXPECT_EQ(b.own.recommendation.limit_bytes, 1280 * kKiB);
  EXPECT_EQ(b.own.unevictable_bytes, std::nullopt);
  EXPECT_EQ(b.processes.size(), 3u);
}

TEST(TotalsByUid, KeepsResidueOfAUidWithoutProcesses) {
  Snapshot snapshot;
  snapshot.processes = {Row(1, "/b", kMiB, 0), Row(2, "/a", kMiB, 0)};
  snapshot.residue = {{33, 4096}};
  const auto totals = TotalsByUid(BuildReport(std::move(snapshot), nullptr, ""));
  ASSERT_EQ(totals.size(), 2u);
  EXPECT_EQ(totals.at(0).processes, 2u);
  EXPECT_EQ(totals.at(0).locked_bytes, 2 * kMiB);
  EXPECT_EQ(totals.at(33).processes, 0u);
  EXPECT_EQ(totals.at(33).residue_bytes, 4096u);
}

TEST(DriftOf, SubtractsLockedMappings) {
  Mapping locked;
  locked.start = 0x1000;
  locked.end = 0x3000;
  locked.locked = true;
  Mapping other;
  other.start = 0x5000;
  other.end = 0x9000;
  EXPECT_EQ(DriftOf(0x2000, SumLocked({locked, other})), 0);
  EXPECT_EQ(DriftOf(0x6000, SumLocked({locked, other})), 0x4000);
  EXPECT_EQ(DriftOf(0, SumLocked({locked, other})), -0x2000);
}

Mapping LockedMapping(uint64_t start, uint64_t end) {
  Mapping mapping;
  mapping.start = start;
  mapping.end = end;
  mapping.locked = true;
  return mapping;
}

ShimState LockedArenas(uint64_t locked) {
  ShimState shim;
  for (const uint64_t base : {0x10000, 0x20000}) {
    ShimArena& arena = shim.arenas.emplace_back();
    arena.base = base;
    arena.capacity_bytes = 0x4000;
    arena.locked_bytes = locked;
    arena.backing = abi::ArenaBacking::kLockedAnonymous;
  }
  return shim;
}

TEST(LockedByLedger, LeavesOutSecretMemoryAndDoesNotWrap) {
  ShimState shim = LockedArenas(0x4000);
  EXPECT_EQ(LockedByLedger(shim), 0x8000u);
  shim.arenas[1].backing = abi::ArenaBacking::kSecretMemory;
  EXPECT_EQ(LockedByLedger(shim), 0x4000u);
  EXPECT_EQ(LockedByLedger(LockedArenas(~uint64_t{0})), ~uint64_t{0});
}

TEST(KeepRealPins, BelievesTheKernel) {
  ShimState shim = LockedArenas(0x4000);
  shim.pinned_bytes = 0x3000;
  KeepRealPins(0xb000, shim);
  EXPECT_EQ(shim.pinned_bytes, 0x3000u);
  KeepRealPins(0x9000, shim);
  EXPECT_EQ(shim.pinned_bytes, 0x1000u);
  EXPECT_EQ(shim.unpinned_bytes, 0u);
  KeepRealPins(0x7000, shim);
  EXPECT_EQ(shim.pinned_bytes, 0u);
}

TEST(KeepRealPins, CountsAllOfAChildWithoutLocksAsUnlocked) {
  ShimState shim;
  shim.pinned_bytes = 0x3000;
  KeepRealPins(0, shim);
  EXPECT_EQ(shim.pinned_bytes, 0u);
  EXPECT_EQ(shim.unpinned_bytes, 0x3000u);
}

TEST(KeepRealLocks, BelievesTheKernel) {
  ShimState shim = LockedArenas(0x4000);
  KeepRealLocks({LockedMapping(0xf000, 0x11000), LockedMapping(0x20000, 0x30000)}, shim);
  EXPECT_EQ(shim.arenas[0].locked_bytes, 0x1000u);
  EXPECT_EQ(shim.arenas[1].locked_bytes, 0x4000u);
  shim = LockedArenas(0x4000);
  shim.arenas[1].backing = abi::ArenaBacking::kSecretMemory;
  KeepRealLocks({}, shim);
  EXPECT_EQ(shim.arenas[0].locked_bytes, 0u);
  EXPECT_EQ(shim.arenas[1].locked_bytes, 0x4000u);
}

// A ledger that claims locks this process does not hold, as after a raw clone.
TEST(AddShimState, CorrectsALedgerThatIsAParents) {
  const FakeShim shim;
  shim.Place(0);
  ProcessRow row = Row(getpid(), "/", 0, std::nullopt);
  ASSERT_EQ(AddShimState(row), absl::OkStatus());
  ASSERT_TRUE(row.shim.has_value());
  EXPECT_EQ(row.shim->arenas[0].locked_bytes, 0u);
  ASSERT_EQ(mlock(shim.arena(), FakeShim::kArenaBytes), 0);
  ASSERT_EQ(AddShimState(row), absl::OkStatus());
  EXPECT_EQ(row.shim->arenas[0].locked_bytes, FakeShim::kArenaBytes);
}

task_record Record() {
  task_record record = {};
  record.pid = 42;
  record.effective_uid = 33;
  record.locked_pages = 3;
  record.pinned_pages = 1;
  record.soft_limit_bytes = 65536;
  record.hard_limit_bytes = ~uint64_t{0};
  record.cap_effective = uint64_t{1} << 14;
  record.user_ns_level = 0;
  memcpy(record.comm, "nginx", 6);
  return record;
}

TEST(RowOf, TranslatesARecord) {
  const ProcessRow row = RowOf(Record());
  EXPECT_EQ(row.pid, 42);
  EXPECT_EQ(row.comm, "nginx");
  EXPECT_EQ(row.uid, 33u);
  EXPECT_EQ(row.locked_bytes, 3u * 4096);
  EXPECT_EQ(row.pinned_bytes, 4096u);
  EXPECT_EQ(row.soft_limit_bytes, 65536u);
  EXPECT_EQ(row.hard_limit_bytes, std::nullopt);
  EXPECT_TRUE(row.cap_ipc_lock);
}

TEST(RowOf, DoesNotCountACapabilityOfAUserNamespace) {
  task_record record = Record();
  record.user_ns_level = 1;
  EXPECT_FALSE(RowOf(record).cap_ipc_lock);
  record = Record();
  record.cap_effective = ~(uint64_t{1} << 14);
  EXPECT_FALSE(RowOf(record).cap_ipc_lock);
}

TEST(RowOf, StopsAtTheEndOfTheName) {
  task_record record = Record();
  memset(record.comm, 'x', sizeof(record.comm));
  EXPECT_EQ(RowOf(record).comm, std::string(16, 'x'));
}

}  // namespace
}  // namespace pagewarden
