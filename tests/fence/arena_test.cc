// SPDX-License-Identifier: Apache-2.0
#include "preload/fence/arena.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "preload/base/ledger.h"
#include "tests/fence/test_fence.h"

namespace pagewarden {
namespace {

Arena& TheArena() {
  static Arena& arena = OpenTestFence(TestPolicy());
  return arena;
}

bool IsZero(const void* block, size_t bytes) {
  const auto* b = static_cast<const unsigned char*>(block);
  return std::all_of(b, b + bytes, [](unsigned char c) { return c == 0; });
}

uint64_t Live(uint32_t tag) {
  const abi::LedgerBook sum = fence.books.Sum(tag);
  return sum.allocations - sum.frees;
}

TEST(Arena, GivesZeroedMemoryOfEverySize) {
  Arena& arena = TheArena();
  for (size_t bytes : {0, 1, 15, 16, 17, 64, 100, 500, 2032, 2033, 4096, 100'000}) {
    for (int round = 0; round < 3; ++round) {  // the second round reuses what was freed
      void* block = arena.Allocate(bytes, 16, 0);
      ASSERT_NE(block, nullptr) << bytes;
      EXPECT_TRUE(IsZero(block, bytes));
      EXPECT_EQ(arena.UsableSize(block), bytes);
      EXPECT_EQ(reinterpret_cast<uint64_t>(block) % 16, 0u);
      memset(block, 0xa5, bytes);
      arena.Free(block);
      EXPECT_TRUE(IsZero(block, bytes)) << "not wiped";
    }
  }
}

TEST(Arena, AlignsAsAsked) {
  Arena& arena = TheArena();
  for (size_t alignment = 16; alignment <= 1 << 18; alignment *= 2) {
    void* block = arena.Allocate(40, alignment, 0);
    ASSERT_NE(block, nullptr) << alignment;
    EXPECT_EQ(reinterpret_cast<uint64_t>(block) % alignment, 0u);
    arena.Free(block);
  }
}

TEST(Arena, NeverGivesABlockTwice) {
  Arena& arena = TheArena();
  std::set<void*> live;
  for (int i = 0; i < 50'000; ++i) {
    void* block = arena.Allocate(1 + i % 200, 16, 1);
    ASSERT_NE(block, nullptr) << "the arena grows";
    ASSERT_TRUE(live.insert(block).second);
  }
  EXPECT_EQ(Live(1), live.size());
  for (void* block : live) arena.Free(block);
  EXPECT_EQ(Live(1), 0u);
}

TEST(Arena, KeepsItsPagesWhenThreadsFreeForEachOther) {
  Arena& arena = TheArena();
  const auto round = [&arena] {
    std::vector<void*> blocks(2'000);
    std::thread maker([&] {
      for (void*& block : blocks) block = arena.Allocate(64, 16, 0);
    });
    maker.join();
    std::thread taker([&] {
      for (void* block : blocks) arena.Free(block);
    });
    taker.join();
  };
  round();
  const uint64_t after_one = arena.book().page_bytes;
  for (int i = 0; i < 20; ++i) round();
  EXPECT_LE(arena.book().page_bytes, after_one + 16 * 4096);
  EXPECT_EQ(Live(0), 0u);
}

TEST(Arena, ResizesInPlaceWithinTheSlot) {
  Arena& arena = TheArena();
  auto* block = static_cast<char*>(arena.Allocate(50, 16, 0));
  memset(block, 'x', 50);
  ASSERT_TRUE(arena.ResizeInPlace(block, 60, false));
  EXPECT_EQ(arena.UsableSize(block), 60u);
  EXPECT_TRUE(IsZero(block + 50, 10));
  ASSERT_TRUE(arena.ResizeInPlace(block, 20, false));
  EXPECT_FALSE(arena.ResizeInPlace(block, 200, false));
  arena.Free(block);
}

TEST(Arena, SamplesThePeakOfATag) {
  Arena& arena = TheArena();
  std::vector<void*> blocks(1'000);
  for (void*& block : blocks) block = arena.Allocate(64, 16, 1);
  for (void* block : blocks) arena.Free(block);
  const uint64_t peak = fence.books.tag(1).peak_bytes;
  EXPECT_GE(peak, (1'000 - kMagazineRounds) * 80);
}

using ArenaDeath = testing::Test;

TEST(ArenaDeath, NamesWhatWentWrong) {
  Arena& arena = TheArena();
  const auto overflow = [&] {
    auto* block = static_cast<char*>(arena.Allocate(10, 16, 0));
    block[10] = 1;
    arena.Free(block);
  };
  const auto twice = [&] {
    void* block = arena.Allocate(10, 16, 0);
    arena.Free(block);
    arena.Free(block);
  };
  const auto inside = [&] { arena.Free(static_cast<char*>(arena.Allocate(64, 16, 0)) + 16); };
  const auto after_free = [&] {
    auto* block = static_cast<char*>(arena.Allocate(10, 16, 0));
    arena.Free(block);
    memset(block, 1, 32);  // as far as the trailer
    arena.Allocate(10, 16, 0);
  };
  EXPECT_DEATH(overflow(), "canary damaged");
  EXPECT_DEATH(twice(), "double free");
  EXPECT_DEATH(inside(), "free inside a block");
  EXPECT_DEATH(after_free(), "write to a block that was freed");
}

int ExitOfChild(void (*body)(Arena&, char*), Arena& arena, char* block) {
  const pid_t child = fork();
  if (child == 0) {
    body(arena, block);
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(ArenaFork, TheChildIsLockedAgainAndAllocates) {
  Arena& arena = TheArena();
  auto* block = static_cast<char*>(arena.Allocate(8, 16, 0));
  memcpy(block, "secret", 7);
  const auto child = [](Arena& a, char* inherited) {
    EXPECT_STREQ(inherited, "secret");
    EXPECT_TRUE(a.is_locked());
    a.Free(inherited);
    void* fresh = a.Allocate(8, 16, 0);
    EXPECT_NE(fresh, nullptr);
    a.Free(fresh);
  };
  EXPECT_EQ(ExitOfChild(child, arena, block), 0);
  arena.Free(block);
}

}  // namespace
}  // namespace pagewarden
