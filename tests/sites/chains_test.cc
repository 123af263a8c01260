// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/chains.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace pagewarden {
namespace {

constexpr uint32_t kRules = 10;
constexpr uint32_t kNone = UINT32_MAX;
bool Any(uint32_t) { return true; }

TEST(ChainsTest, OneRuleNeedsNoLink) {
  Chains chains(nullptr, 0, kRules);
  EXPECT_EQ(chains.Prepend(3, 0), 4u);
  EXPECT_EQ(chains.First(4, kNone, Any), 3u);
  EXPECT_EQ(chains.First(0, kNone, Any), kNone);
}

TEST(ChainsTest, TheFirstThatAcceptsWins) {
  Link links[4] = {};
  Chains chains(links, 4, kRules);
  const uint32_t tag = chains.Prepend(1, chains.Prepend(4, chains.Prepend(7, 0)));
  EXPECT_EQ(chains.First(tag, kNone, Any), 1u);
  EXPECT_EQ(chains.First(tag, kNone, [](uint32_t rule) { return rule > 2; }), 4u);
  EXPECT_EQ(chains.First(tag, kNone, [](uint32_t rule) { return rule > 5; }), 7u);
  EXPECT_EQ(chains.First(tag, kNone, [](uint32_t) { return false; }), kNone);
}

TEST(ChainsTest, OnlyWhatComesBeforeCounts) {
  Link links[4] = {};
  Chains chains(links, 4, kRules);
  const uint32_t tag = chains.Prepend(4, chains.Prepend(7, 0));
  EXPECT_EQ(chains.First(tag, 5, Any), 4u);
  EXPECT_EQ(chains.First(tag, 4, Any), 4u);
  EXPECT_EQ(chains.First(tag, 2, Any), 2u);
  EXPECT_EQ(chains.First(chains.Prepend(8, 0), 8, Any), 8u);
}

TEST(ChainsTest, EqualListsShareLinks) {
  Link links[2] = {};
  Chains chains(links, 2, kRules);
  const uint32_t tag = chains.Prepend(0, 5);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(chains.Prepend(0, 5), tag);
  EXPECT_NE(chains.Prepend(1, 5), tag);
}

TEST(ChainsTest, FullIsFull) {
  Link links[1] = {};
  Chains chains(links, 1, kRules);
  EXPECT_NE(chains.Prepend(0, 5), 0u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(chains.Prepend(1, 5), 0u);
  EXPECT_NE(chains.Prepend(0, 5), 0u);
}

TEST(ChainsTest, ThreadsMakeListsAtOneTime) {
  constexpr uint32_t kLinks = 64;
  Link links[kLinks] = {};
  Chains chains(links, kLinks, kRules);
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&chains, t] {
      for (uint32_t i = 0; i < 1000; ++i) {
        const uint32_t first = (t + i) % 4;
        const uint32_t tag = chains.Prepend(first, 5 + i % 4);
        ASSERT_NE(tag, 0u);
        ASSERT_EQ(chains.First(tag, kNone, Any), first);
        ASSERT_EQ(chains.First(tag, kNone, [](uint32_t r) { return r > 3; }), 4 + i % 4);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace pagewarden
