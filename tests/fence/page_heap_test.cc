// SPDX-License-Identifier: Apache-2.0
#include "preload/fence/page_heap.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace pagewarden {
namespace {

constexpr uint32_t kPages = 256;
const auto* const kBase = reinterpret_cast<const void*>(0x10000000);

struct Heap {
  Heap() : records(2 * kPages), heap(records.data(), kBase) { heap.Extend(kPages); }

  uint32_t Take(uint32_t count, size_t alignment = 4096) {
    const uint32_t first = heap.Take(count, alignment);
    for (uint32_t i = 0; first != kNoPage && i < count; ++i) records[first + i].kind = kRunPage;
    return first;
  }

  std::vector<PageRecord> records;
  PageHeap heap;
};

TEST(PageHeap, GivesEveryPageOnceAndThenNone) {
  Heap h;
  std::vector<bool> taken(kPages);
  for (uint32_t i = 0; i < kPages; ++i) {
    const uint32_t page = h.Take(1);
    ASSERT_LT(page, kPages);
    EXPECT_FALSE(taken[page]);
    taken[page] = true;
  }
  EXPECT_EQ(h.Take(1), kNoPage);
  EXPECT_EQ(h.heap.pages_in_use(), kPages);
}

TEST(PageHeap, MergesWithBothNeighbours) {
  Heap h;
  const uint32_t a = h.Take(64), b = h.Take(64), c = h.Take(64), d = h.Take(64);
  ASSERT_EQ(h.Take(1), kNoPage);
  h.heap.Give(a, 64);
  h.heap.Give(c, 64);
  h.heap.Give(d, 64);
  h.heap.Give(b, 64);
  EXPECT_NE(h.Take(kPages), kNoPage);
}

TEST(PageHeap, AlignsTheAddress) {
  Heap h;
  for (const size_t alignment : {size_t{1} << 13, size_t{1} << 16, size_t{1} << 19}) {
    const uint32_t page = h.Take(3, alignment);
    ASSERT_NE(page, kNoPage);
    EXPECT_EQ((reinterpret_cast<uint64_t>(kBase) + page * 4096ull) % alignment, 0u);
  }
  EXPECT_EQ(h.Take(1, size_t{1} << 40), kNoPage);
}

TEST(PageHeap, GrowsBehindAFullExtent) {
  Heap h;
  ASSERT_NE(h.Take(kPages), kNoPage);
  h.heap.Extend(kPages);
  EXPECT_EQ(h.Take(kPages), kPages);
}

// Against a map of what is taken: no overlap, and no page lost.
TEST(PageHeap, AgreesWithAModel) {
  Heap h;
  std::mt19937 random(20261121);
  std::map<uint32_t, uint32_t> taken;
  uint32_t pages = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 2 == 0 || taken.empty()) {
      const uint32_t count = 1 + random() % 20;
      const uint32_t first = h.Take(count, size_t{4096} << (random() % 4));
      if (first == kNoPage) continue;
      const auto next = taken.lower_bound(first);
      ASSERT_TRUE(next == taken.end() || first + count <= next->first);
      ASSERT_TRUE(next == taken.begin() ||
                  std::prev(next)->first + std::prev(next)->second <= first);
      taken[first] = count;
      pages += count;
    } else {
      auto victim = taken.lower_bound(random() % kPages);
      if (victim == taken.end()) victim = taken.begin();
      h.heap.Give(victim->first, victim->second);
      pages -= victim->second;
      taken.erase(victim);
    }
    ASSERT_EQ(h.heap.pages_in_use(), pages);
  }
  for (const auto& [first, count] : taken) h.heap.Give(first, count);
  EXPECT_NE(h.Take(kPages), kNoPage);
}

}  // namespace
}  // namespace pagewarden
