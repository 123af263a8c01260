// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include "absl/strings/str_cat.h"
#include "agent/state/process_books.h"
#include "tests/unit/books_samples.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(BookKeeperTest, PeaksNeverGoDown) {
  const TempDirectory directory;
  BookKeeper keeper = Kept(directory.path());
  Tick(keeper, {}, 5000);
  Tick(keeper, {}, 3000);
  EXPECT_EQ(keeper.books().cgroups.at("/a").peak_locked_bytes, 5000u);
  ASSERT_TRUE(keeper.Save().ok());
  BookKeeper again = Kept(directory.path());
  EXPECT_EQ(again.books().cgroups.at("/a").peak_locked_bytes, 5000u);
  Tick(again, {}, 4000);
  EXPECT_EQ(again.books().cgroups.at("/a").peak_locked_bytes, 5000u);
}

TEST(BookKeeperTest, CountsOfProcessesThatEndedStay) {
  const TempDirectory directory;
  BookKeeper keeper = Kept(directory.path());
  Tick(keeper, {FencedRow(7, 1, 100, 40), FencedRow(8, 2, 10)});
  EXPECT_EQ(Keys(keeper).allocations, 110u);
  EXPECT_EQ(Keys(keeper).frees, 70u);
  Tick(keeper, {FencedRow(7, 1, 150)});
  EXPECT_EQ(Keys(keeper).allocations, 160u);
  Tick(keeper, {});
  Tick(keeper, {FencedRow(7, 3, 5)});  // the pid again, another process
  EXPECT_EQ(Keys(keeper).allocations, 165u);
}

TEST(BookKeeperTest, AMissedReadIsNoNewProcess) {
  const TempDirectory directory;
  BookKeeper keeper = Kept(directory.path());
  Tick(keeper, {FencedRow(7, 1, 100)});
  Tick(keeper, {});
  Tick(keeper, {FencedRow(7, 1, 101)});
  EXPECT_EQ(Keys(keeper).allocations, 101u);
}

TEST(BookKeeperTest, AChildHasItsParentsCountsAndTheyCountOnce) {
  const TempDirectory directory;
  BookKeeper keeper = Kept(directory.path());
  Tick(keeper, {FencedRow(7, 1, 1000)});
  ProcessRow child = FencedRow(8, 1, 1200);
  child.start_time_ns = 2;  // its ledger is where its parent's is
  Tick(keeper, {FencedRow(7, 1, 1000), child});
  EXPECT_EQ(Keys(keeper).allocations, 1200u);
}

TEST(BookKeeperTest, ANewProgramInTheSameProcessBeginsAtZero) {
  const TempDirectory directory;
  BookKeeper keeper = Kept(directory.path());
  Tick(keeper, {FencedRow(7, 1, 100)});
  ProcessRow row = FencedRow(7, 1, 30);
  row.exec_id = 1;
  row.shim->address += 1 << 20;
  Tick(keeper, {row});
  EXPECT_EQ(Keys(keeper).allocations, 130u);
}

TEST(BookKeeperTest, HostileLedgersNeitherOverflowNorGoDown) {
  const TempDirectory directory;
  BookKeeper keeper = Kept(directory.path());
  std::mt19937_64 random(1);
  RuleBook before;
  for (int i = 0; i < 200; ++i) {
    const uint64_t most = std::numeric_limits<uint64_t>::max();
    ProcessRow row = FencedRow(7, 1, i % 3 == 0 ? most : random(), random());
    row.shim->violations.fill(most);
    row.shim->tags[0].fallbacks.fill(most);
    Tick(keeper, {row});
    const RuleBook now = Keys(keeper);
    EXPECT_GE(now.allocations, before.allocations);
    EXPECT_GE(now.frees, before.frees);
    EXPECT_LE(now.allocations, kMaxCount);
    before = now;
  }
  EXPECT_EQ(keeper.books().policies.at("tls").violations[0], kMaxCount);
  ASSERT_TRUE(keeper.Save().ok());
  EXPECT_EQ(Keys(Kept(directory.path())).allocations, before.allocations);
}

TEST(BookKeeperTest, HostileNamesFillNoMemory) {
  const TempDirectory directory;
  BookKeeper keeper = Kept(directory.path());
  for (int i = 0; i < 3000; ++i) {
    ProcessRow row = FencedRow(7, static_cast<uint64_t>(i), 1);
    row.shim->policy = absl::StrCat("p", i);
    Tick(keeper, {row});
  }
  EXPECT_EQ(keeper.books().policies.size(), kMaxForeignPolicies + 1);
  EXPECT_GT(keeper.books().policies.at(kOtherName).rules.at("keys").allocations, 2000u);
  // A policy that the agent has gets a book all the same, with rules as many as it may have.
  keeper.SetPolicies({"web"});
  for (int i = 0; i < 1000; ++i) {
    ProcessRow row = FencedRow(8, static_cast<uint64_t>(i), 1);
    row.shim->policy = i % 2 == 0 ? "web" : "p1";
    row.shim->tags[0].name = absl::StrCat("r", i);
    Tick(keeper, {row});
  }
  EXPECT_THAT(keeper.books().policies.at("web").rules, SizeIs(kMaxRules + 1));
  EXPECT_THAT(keeper.books().policies.at("p1").rules, SizeIs(kMaxRulesOfForeign + 1));
  for (int i = 0; i < 10000; ++i) keeper.Add(SampleDenial(absl::StrCat("/c", i)));
  EXPECT_LE(keeper.books().cgroups.size(), 8193u);
  EXPECT_GT(DenialsOf(keeper, kOtherName), 1000u);
}

TEST(BookKeeperTest, DenialsOutliveAKillBetweenTwoSaves) {
  const TempDirectory directory;
  {
    BookKeeper keeper = Kept(directory.path());
    keeper.Add(SampleDenial("/a"));
    ASSERT_TRUE(keeper.Save().ok());
    WatchEvent many = SampleDenial("/a");
    many.attempt->repeats = 99;
    keeper.Add(many);
    ASSERT_TRUE(keeper.Journal().ok());
    EXPECT_EQ(DenialsOf(keeper, "/a"), 101u);
  }
  EXPECT_EQ(DenialsOf(Kept(directory.path()), "/a"), 101u);
}

TEST(BookKeeperTest, WhatWasShownOfALivingProcessIsNotCountedTwice) {
  const TempDirectory directory;
  {
    BookKeeper keeper = Kept(directory.path());
    Tick(keeper, {FencedRow(7, 1, 100)});
    ASSERT_TRUE(keeper.Save().ok());
    Tick(keeper, {FencedRow(7, 1, 150), FencedRow(8, 2, 30)});
    ASSERT_TRUE(keeper.Journal().ok());
    EXPECT_EQ(Keys(keeper).allocations, 180u);
  }
  BookKeeper keeper = Kept(directory.path());
  Tick(keeper, {FencedRow(7, 1, 160)});  // 8 has ended
  EXPECT_EQ(Keys(keeper).allocations, 180u);
  Tick(keeper, {FencedRow(7, 1, 170)});
  EXPECT_EQ(Keys(keeper).allocations, 190u);
  ASSERT_TRUE(keeper.Journal().ok());
  BookKeeper living = Kept(directory.path());
  Tick(living, {FencedRow(7, 1, 170)});
  EXPECT_EQ(Keys(living).allocations, 190u);
}

TEST(BookKeeperTest, AnUncoveredProcessIsCountedOnce) {
  const TempDirectory directory;
  CoverageReport coverage;
  coverage.processes.resize(1);
  coverage.processes[0].pid = 7;
  coverage.processes[0].reason = "static";
  const auto count = [&](BookKeeper& keeper) {
    keeper.Update({}, coverage, SampleTime());
    EXPECT_TRUE(keeper.Journal().ok());
    return keeper.books().shims_skipped.at("static");
  };
  {
    BookKeeper keeper = Kept(directory.path());
    EXPECT_EQ(count(keeper), 1u);
    EXPECT_EQ(count(keeper), 1u);
  }
  BookKeeper keeper = Kept(directory.path());
  EXPECT_EQ(count(keeper), 1u);
  coverage.processes[0].pid = 8;
  EXPECT_EQ(count(keeper), 2u);
}

TEST(BookKeeperTest, GuardHitsCountForThePolicyOfTheProcess) {
  const TempDirectory directory;
  BookKeeper keeper = Kept(directory.path());
  Tick(keeper, {FencedRow(4711, 1, 1)});
  WatchEvent hit = SampleDenial("/a");
  hit.attempt.reset();
  hit.verdict.reset();
  hit.guard_hit.emplace();
  keeper.Add(hit);
  EXPECT_EQ(keeper.books().policies.at("tls").guard_hits, 1u);
  hit.pid = 9;
  keeper.Add(hit);
  EXPECT_EQ(keeper.books().policies.at("(unknown)").guard_hits, 1u);
}

TEST(BookKeeperTest, ADamagedFileGivesWayToTheOneBefore) {
  const TempDirectory directory;
  {
    BookKeeper keeper = Kept(directory.path());
    Tick(keeper, {}, 1000);
    ASSERT_TRUE(keeper.Save().ok());
    Tick(keeper, {}, 2000);
    ASSERT_TRUE(keeper.Journal().ok());
    ASSERT_TRUE(keeper.Save().ok());
    Tick(keeper, {}, 3000);
    ASSERT_TRUE(keeper.Journal().ok());
  }
  std::string text = ReadFile(directory.path() + "/books.json");
  text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
  directory.Write("books.json", text);
  BookKeeper keeper = Kept(directory.path());
  EXPECT_THAT(keeper.notes(), SizeIs(2));
  EXPECT_THAT(keeper.notes()[0], HasSubstr("books.json: damaged, not used"));
  // With both journals nothing is missing.
  EXPECT_EQ(keeper.books().cgroups.at("/a").peak_locked_bytes, 3000u);
  // The damaged one does not become the copy.
  ASSERT_TRUE(keeper.Save().ok());
  EXPECT_EQ(Kept(directory.path()).books().cgroups.at("/a").peak_locked_bytes, 3000u);
  directory.Write("books.json", "");
  EXPECT_GE(Kept(directory.path()).books().cgroups.at("/a").peak_locked_bytes, 1000u);
}

TEST(BookKeeperTest, NothingUsableIsSaidAndBeginsAnew) {
  const TempDirectory directory;
  directory.Write("books.json", "x");
  directory.Write("books.1.json", "pagewarden books 1 7 0000000000000000\n{}\n");
  directory.Write("books.journal", std::string(100, '\0'));
  BookKeeper keeper = Kept(directory.path());
  EXPECT_THAT(keeper.notes(), SizeIs(2));
  EXPECT_THAT(keeper.books().cgroups, IsEmpty());
  Tick(keeper, {}, 10);
  EXPECT_TRUE(keeper.Journal().ok());
  EXPECT_EQ(Kept(directory.path()).books().cgroups.at("/a").peak_locked_bytes, 10u);
}

TEST(BookKeeperTest, WithoutADirectoryTheAgentGoesOn) {
  BookKeeper keeper = Kept("/proc/no/such/directory");
  EXPECT_THAT(keeper.notes(), SizeIs(1));
  Tick(keeper, {}, 10);
  EXPECT_FALSE(keeper.Journal().ok());
  EXPECT_FALSE(keeper.Save().ok());
  EXPECT_EQ(keeper.books().cgroups.at("/a").peak_locked_bytes, 10u);
}

}  // namespace
}  // namespace pagewarden
