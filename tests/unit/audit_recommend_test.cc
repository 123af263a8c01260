// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "agent/audit/recommend.h"

namespace pagewarden {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;

ProcessRow Row(uint64_t locked) {
  ProcessRow row;
  row.pid = 7;
  row.comm = "nginx";
  row.locked_bytes = locked;
  return row;
}

ShimArena Arena(uint64_t capacity, uint64_t locked) {
  ShimArena arena;
  arena.capacity_bytes = capacity;
  arena.locked_bytes = locked;
  arena.backing = abi::ArenaBacking::kLockedAnonymous;
  return arena;
}

uint64_t LimitFor(const ProcessRow& row, Peak peak = {}, const UidResidue* uid = nullptr) {
  return Recommend(NeedOf(row, peak, uid)).limit_bytes;
}

TEST(Recommend, AddsAQuarterAndRoundsUp) {
  EXPECT_EQ(Recommend({}).limit_bytes, 0u);
  EXPECT_EQ(LimitFor(Row(0)), 0u);
  EXPECT_EQ(LimitFor(Row(4096)), 64 * kKiB);
  EXPECT_EQ(LimitFor(Row(2 * kMiB)), 2560 * kKiB);
  EXPECT_EQ(LimitFor(Row(256 * kKiB)), 320 * kKiB);
  EXPECT_EQ(LimitFor(Row(256 * kKiB + 4096)), 384 * kKiB);
}

TEST(Recommend, TakesThePeak) {
  const LimitNeed need = NeedOf(Row(kMiB), {4 * kMiB, true}, nullptr);
  EXPECT_EQ(need.peak_locked_bytes, 4 * kMiB);
  EXPECT_TRUE(need.peak_exact);
  EXPECT_EQ(Recommend(need).limit_bytes, 5 * kMiB);
  // A book that shows less than the present has missed something.
  EXPECT_FALSE(NeedOf(Row(kMiB), {4096, true}, nullptr).peak_exact);
  EXPECT_EQ(LimitFor(Row(kMiB), {4096, true}), 1280 * kKiB);
}

// What an arena has locked is in VmLck; what it has not comes on top.
TEST(Recommend, AddsOnlyWhatArenasHaveNotLocked) {
  ProcessRow row = Row(kMiB + 4096);
  row.shim.emplace();
  row.shim->arenas = {Arena(kMiB, kMiB)};
  EXPECT_EQ(NeedOf(row, {}, nullptr).need(), kMiB + 4096);
  row.shim->arenas = {Arena(kMiB, kMiB), Arena(kMiB, 0)};
  EXPECT_EQ(NeedOf(row, {}, nullptr).unlocked_arena_bytes, kMiB);
  EXPECT_EQ(NeedOf(row, {}, nullptr).need(), 2 * kMiB + 4096);
  row.shim->arenas[1].backing = abi::ArenaBacking::kNotInherited;
  EXPECT_EQ(NeedOf(row, {}, nullptr).need(), kMiB + 4096);
}

TEST(Recommend, LeavesRoomForAnArenaThatGrows) {
  ProcessRow row = Row(2 * kMiB);
  row.shim.emplace();
  row.shim->arenas = {Arena(2 * kMiB, 2 * kMiB)};
  row.shim->arenas[0].growths = 1;
  EXPECT_EQ(NeedOf(row, {}, nullptr).arena_growth_bytes, 2 * kMiB);
  EXPECT_EQ(LimitFor(row), 5 * kMiB);
}

TEST(Recommend, DoesNotWrapOnForgedArenas) {
  ProcessRow row = Row(4096);
  row.shim.emplace();
  row.shim->arenas = {Arena(~uint64_t{0}, 0), Arena(~uint64_t{0}, 0)};
  row.shim->arenas[1].growths = 1;
  EXPECT_GT(LimitFor(row), uint64_t{1} << 62);
  row.shim->arenas = {Arena(kMiB, ~uint64_t{0})};
  EXPECT_EQ(NeedOf(row, {}, nullptr).unlocked_arena_bytes, 0u);
}

TEST(Recommend, CountsTheAddressSpaceUnderMclFuture) {
  ProcessRow row = Row(kMiB);
  row.peak_total_bytes = 8 * kMiB;
  EXPECT_EQ(NeedOf(row, {}, nullptr).need(), kMiB);
  row.locks_future = true;
  EXPECT_EQ(NeedOf(row, {}, nullptr).need(), 8 * kMiB);
}

// The kernel compares each counter alone with the limit.
TEST(Recommend, IsForTheLargestCounterNotTheirSum) {
  ProcessRow row = Row(kMiB);
  row.pinned_bytes = 4 * kMiB;
  EXPECT_EQ(NeedOf(row, {}, nullptr).need(), 4 * kMiB);
  row.locked_bytes = 5 * kMiB;
  EXPECT_EQ(NeedOf(row, {}, nullptr).need(), 5 * kMiB);
}

TEST(Recommend, CountsAUsersChargeForWhoHoldsPartOfIt) {
  UidResidue uid;
  uid.residue_bytes = 16 * kMiB;
  uid.holders = {{"io_uring", 7, "nginx", 1, 4096}};
  EXPECT_EQ(NeedOf(Row(kMiB), {}, &uid).need(), 16 * kMiB);
  uid.holders[0].pid = 8;
  EXPECT_EQ(NeedOf(Row(kMiB), {}, &uid).need(), kMiB);
  // Perf buffers have perf_event_mlock_kb first.
  uid.holders[0] = {"perf", 7, "nginx", 1, 4096};
  EXPECT_EQ(NeedOf(Row(kMiB), {}, &uid).need(), kMiB);

  uid.shm_locked_bytes = 2 * kMiB;
  uid.segments.resize(1);
  uid.segments[0].creator_pid = 7;
  EXPECT_EQ(NeedOf(Row(kMiB), {}, &uid).need(), 2 * kMiB);
}

}  // namespace
}  // namespace pagewarden
