// SPDX-License-Identifier: Apache-2.0
// The shim's walk up the stack beside that of the compiler's own library.
#include "preload/stack/unwind.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unwind.h>

#include <thread>
#include <vector>

#include "tests/sites/chain.h"

namespace pagewarden {
namespace {

uint64_t cache[kFrameCacheEntries];

struct Build {
  const char* name;
  chain_function chain;
};

const Build kBuilds[] = {
    {"O0 C", chain_O0_c},           {"O2 C", chain_O2_c},
    {"omitted C", chain_omitted_c}, {"kept C", chain_kept_c},
    {"size C", chain_size_c},       {"O0 C++", chain_O0_cc},
    {"O2 C++", chain_O2_cc},        {"omitted C++", chain_omitted_cc},
    {"kept C++", chain_kept_cc},    {"size C++", chain_size_cc},
};

uint64_t StackEnd() {
  pthread_attr_t attributes;
  void* lowest = nullptr;
  size_t bytes = 0;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &lowest, &bytes);
  pthread_attr_destroy(&attributes);
  return reinterpret_cast<uint64_t>(lowest) + bytes;
}

using Addresses = std::vector<uint64_t>;

_Unwind_Reason_Code Append(_Unwind_Context* context, void* data) {
  static_cast<Addresses*>(data)->push_back(_Unwind_GetIP(context));
  return _URC_NO_REASON;
}

struct Stacks {
  Addresses ours;
  Addresses theirs;
  uint64_t stack_end = 0;
};

// Theirs begins with the address in Visit itself, ours with the one it returns to.
int Visit(void* data) {
  auto& stacks = *static_cast<Stacks*>(data);
  stacks = {{}, {}, stacks.stack_end};
  _Unwind_Backtrace(Append, &stacks.theirs);
  stacks.theirs.erase(stacks.theirs.begin());
  Cursor cursor = CursorAt(*FrameAt(__builtin_frame_address(0)));
  do {
    stacks.ours.push_back(cursor.return_address);
  } while (Step(&cursor, stacks.stack_end));
  return 0;
}

class UnwindTest : public testing::Test {
 protected:
  void SetUp() override {
    SetFrameCache(cache);
    FlushFrameCache();
  }
};

// Both end where nothing tells how to go on, theirs perhaps with a zero.
void ExpectSame(Stacks stacks, const char* name) {
  SCOPED_TRACE(name);
  while (!stacks.theirs.empty() && stacks.theirs.back() == 0) stacks.theirs.pop_back();
  while (!stacks.ours.empty() && stacks.ours.back() == 0) stacks.ours.pop_back();
  EXPECT_EQ(stacks.ours, stacks.theirs);
}

TEST_F(UnwindTest, FollowsEveryKindOfFrame) {
  for (const Build& build : kBuilds) {
    for (int depth = 0; depth < 40; ++depth) {
      Stacks stacks;
      stacks.stack_end = StackEnd();
      build.chain(depth, Visit, &stacks);
      ExpectSame(stacks, build.name);
      ASSERT_GT(stacks.ours.size(), static_cast<size_t>(depth));
    }
  }
}

TEST_F(UnwindTest, IsTheSameFromTheCache) {
  for (int round = 0; round < 3; ++round) {
    Stacks stacks;
    stacks.stack_end = StackEnd();
    chain_O2_cc(30, Visit, &stacks);
    ExpectSame(stacks, "cached");
  }
}

TEST_F(UnwindTest, FollowsThreads) {
  std::thread([] {
    Stacks stacks;
    stacks.stack_end = StackEnd();
    chain_O2_c(20, Visit, &stacks);
    ExpectSame(stacks, "thread");
  }).join();
}

TEST_F(UnwindTest, StopsWhereTheStackIsSaidToEnd) {
  Stacks stacks;
  Addresses found[2];
  const uint64_t ends[] = {StackEnd(), reinterpret_cast<uint64_t>(&stacks)};
  for (int i = 0; i < 2; ++i) {
    stacks.stack_end = ends[i];
    chain_O2_c(30, Visit, &stacks);
    found[i] = stacks.ours;
  }
  ASSERT_LT(found[1].size(), found[0].size());
  found[1].pop_back();  // in this function, which may have two calls of the chain
  EXPECT_TRUE(std::equal(found[1].begin(), found[1].end(), found[0].begin()));
}

TEST_F(UnwindTest, KnowsNoWayOnFromWhereNoCodeIs) {
  uint64_t words[4] = {};
  const auto sp = reinterpret_cast<uint64_t>(words);
  for (const uint64_t address : {uint64_t{0}, uint64_t{1}, sp, ~uint64_t{0}}) {
    Cursor cursor = {address, sp, sp};
    EXPECT_FALSE(Step(&cursor, sp + sizeof(words)));
  }
}

TEST_F(UnwindTest, ReadsNothingWithRegistersThatPointElsewhere) {
  Stacks stacks;
  stacks.stack_end = StackEnd();
  chain_kept_c(20, Visit, &stacks);
  uint64_t words[4] = {};
  const auto sp = reinterpret_cast<uint64_t>(words);
  for (const uint64_t address : stacks.ours) {
    for (const uint64_t rbp :
         {uint64_t{0}, uint64_t{8}, sp - 8, sp + sizeof(words), ~uint64_t{0}}) {
      Cursor cursor = {address, sp, rbp};
      Step(&cursor, sp + sizeof(words));  // must not crash
    }
  }
}

}  // namespace
}  // namespace pagewarden
