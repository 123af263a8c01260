// SPDX-License-Identifier: Apache-2.0
// An arena that does not grow, when it is full.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "preload/fence/arena.h"
#include "tests/fence/test_fence.h"

namespace pagewarden {
namespace {

Arena& OpenArena() {
  abi::ArenaEntry policy = TestPolicy();
  policy.on_capacity_exhausted = abi::OnCapacityExhausted::kAllocateUnlocked;
  return OpenTestFence(policy);
}

std::vector<void*> Fill(Arena& arena, size_t bytes) {
  std::vector<void*> blocks;
  while (void* block = arena.Allocate(bytes, 16, 0)) blocks.push_back(block);
  return blocks;
}

// What another thread gives back must end the hint that there is nothing.
TEST(FullArena, GivesAgainWhatWasFreed) {
  Arena& arena = OpenArena();
  for (const size_t bytes : {size_t{64}, size_t{1000}, size_t{64}}) {
    const std::vector<void*> blocks = Fill(arena, bytes);
    ASSERT_GT(blocks.size(), 100u);
    EXPECT_EQ(arena.Allocate(bytes, 16, 0), nullptr);
    std::thread([&] {
      for (void* block : blocks) arena.Free(block);
    }).join();
    const std::vector<void*> again = Fill(arena, bytes);
    EXPECT_GT(again.size(), blocks.size() * 9 / 10);  // the rest is in the other's magazine
    for (void* block : again) arena.Free(block);
  }
}

}  // namespace
}  // namespace pagewarden
