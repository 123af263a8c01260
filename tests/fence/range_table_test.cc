// SPDX-License-Identifier: Apache-2.0
#include "preload/pins/range_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace pagewarden {
namespace {

constexpr uint64_t kPages = 64;

PinnedRange Locked(uint64_t begin, uint64_t end) {
  return {begin, end, PinSource::kMapping, PinState::kLocked};
}

TEST(RangeTable, JoinsNeighboursOfOneKind) {
  RangeTable table;
  ASSERT_TRUE(table.Set(Locked(10, 20)));
  ASSERT_TRUE(table.Set(Locked(30, 40)));
  EXPECT_EQ(table.count(), 2u);
  ASSERT_TRUE(table.Set(Locked(20, 30)));
  ASSERT_EQ(table.count(), 1u);
  EXPECT_EQ(table[0].begin, 10u);
  EXPECT_EQ(table[0].end, 40u);
  EXPECT_EQ(table.bytes(PinState::kLocked), 30u);
}

TEST(RangeTable, KeepsKindsApart) {
  RangeTable table;
  ASSERT_TRUE(table.Set(Locked(10, 40)));
  ASSERT_TRUE(table.Set({20, 30, PinSource::kStack, PinState::kUnlocked}));
  EXPECT_EQ(table.count(), 3u);
  EXPECT_EQ(table.bytes(PinState::kLocked), 20u);
  EXPECT_EQ(table.bytes(PinState::kUnlocked), 10u);
  table.ClearSource(PinSource::kMapping);
  EXPECT_EQ(table.count(), 1u);
  EXPECT_EQ(table.bytes(PinState::kLocked), 0u);
}

TEST(RangeTable, FindsTheFirstRangeBehindAnAddress) {
  RangeTable table;
  ASSERT_TRUE(table.Set(Locked(10, 20)));
  ASSERT_TRUE(table.Set(Locked(30, 40)));
  EXPECT_EQ(table.FirstAfter(0), 0u);
  EXPECT_EQ(table.FirstAfter(19), 0u);
  EXPECT_EQ(table.FirstAfter(20), 1u);
  EXPECT_EQ(table.FirstAfter(40), 2u);
}

// Beside one word a page, which cannot be wrong.
class Model {
 public:
  void Set(const PinnedRange& range) {
    for (uint64_t page = range.begin; page < range.end; ++page) pages_[page] = range;
  }
  void Clear(uint64_t begin, uint64_t end) {
    for (uint64_t page = begin; page < end; ++page) pages_.erase(page);
  }
  bool Agrees(const RangeTable& table) const {
    uint64_t booked = 0, end_before = 0;
    uint64_t bytes[kPinStates] = {};
    for (uint32_t i = 0; i < table.count(); ++i) {
      const PinnedRange& range = table[i];
      if (range.begin < end_before || range.begin >= range.end) return false;
      end_before = range.end;
      for (uint64_t page = range.begin; page < range.end; ++page, ++booked) {
        const auto found = pages_.find(page);
        if (found == pages_.end() || found->second.state != range.state ||
            found->second.source != range.source)
          return false;
        ++bytes[static_cast<size_t>(range.state)];
      }
    }
    for (size_t state = 0; state < kPinStates; ++state)
      if (bytes[state] != table.bytes(static_cast<PinState>(state))) return false;
    return booked == pages_.size();
  }

 private:
  std::map<uint64_t, PinnedRange> pages_;
};

TEST(RangeTable, AgreesWithAModel) {
  std::mt19937 random(7);
  RangeTable table;
  Model model;
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t begin = random() % kPages, end = begin + 1 + random() % 16;
    const PinnedRange range = {begin, end, static_cast<PinSource>(random() % kPinSources),
                               static_cast<PinState>(random() % kPinStates)};
    if (random() % 3 == 0) {
      table.Clear(begin, end);
      model.Clear(begin, end);
    } else {
      ASSERT_TRUE(table.Set(range));
      model.Set(range);
    }
    ASSERT_TRUE(model.Agrees(table)) << "after step " << i;
  }
}

TEST(RangeTable, Grows) {
  constexpr uint64_t kMany = 20'000;
  RangeTable table;
  for (uint64_t i = 0; i < kMany; ++i) ASSERT_TRUE(table.Set(Locked(2 * i, 2 * i + 1)));
  EXPECT_EQ(table.count(), kMany);
  EXPECT_EQ(table.bytes(PinState::kLocked), kMany);
  table.Clear(0, 2 * kMany);
  EXPECT_EQ(table.count(), 0u);
}

}  // namespace
}  // namespace pagewarden
