// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "agent/watch/guard_place.h"

namespace pagewarden {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kFence = 0x7f0000000000;

// guard | tables (2 pages) | guard | keys (4, room for 4 more) | guard | pins (2) | guard
ShimState TwoArenas() {
  ShimState shim;
  shim.fence_base = kFence;
  shim.fence_bytes = 16 * kPage;
  ShimArena keys;
  keys.name = "keys";
  keys.base = kFence + 4 * kPage;
  keys.capacity_bytes = 4 * kPage;
  ShimArena pins;
  pins.name = "pins";
  pins.base = kFence + 13 * kPage;
  pins.capacity_bytes = 2 * kPage;
  shim.arenas = {pins, keys};  // no order is promised
  return shim;
}

std::string PlaceOfPage(int page) { return GuardPlace(TwoArenas(), kFence + page * kPage); }

TEST(GuardPlace, NamesEachGuard) {
  EXPECT_EQ(PlaceOfPage(0), "before the tables");
  EXPECT_EQ(PlaceOfPage(3), "before arena keys");
  EXPECT_EQ(PlaceOfPage(8), "after arena keys");
  EXPECT_EQ(PlaceOfPage(12), "between arenas keys and pins");
  EXPECT_EQ(PlaceOfPage(15), "after arena pins");
}

TEST(GuardPlace, InsideAnArena) {
  EXPECT_EQ(PlaceOfPage(4), "inside arena keys");
  EXPECT_EQ(PlaceOfPage(14), "inside arena pins");
}

TEST(GuardPlace, OutsideTheFence) {
  EXPECT_EQ(PlaceOfPage(-1), "");
  EXPECT_EQ(PlaceOfPage(16), "");
  EXPECT_EQ(GuardPlace(ShimState(), 0), "");
}

TEST(GuardPlace, FenceWithoutArenas) {
  ShimState shim = TwoArenas();
  shim.arenas.clear();
  EXPECT_EQ(GuardPlace(shim, kFence + 8 * kPage), "before the tables");
}

TEST(GuardPlace, LastByteOfTheAddressSpace) {
  ShimState shim;
  shim.fence_base = ~uint64_t{0} - kPage;
  shim.fence_bytes = kPage;
  EXPECT_EQ(GuardPlace(shim, ~uint64_t{0} - 1), "before the tables");
  EXPECT_EQ(GuardPlace(shim, ~uint64_t{0}), "");
}

}  // namespace
}  // namespace pagewarden
