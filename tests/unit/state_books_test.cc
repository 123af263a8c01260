// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <random>

#include "absl/strings/str_cat.h"
#include "agent/state/book_keeper.h"
#include "agent/state/process_books.h"
#include "tests/unit/events_samples.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

BookKeeper Kept(const std::string& directory, const CgroupHierarchy* hierarchy = nullptr) {
  auto keeper = BookKeeper::Open(directory, hierarchy);
  if (!keeper.ok()) abort();
  return *std::move(keeper);
}

AuditReport ReportOf(std::vector<ProcessRow> rows, uint64_t locked = 0) {
  AuditReport report;
  CgroupRow& cgroup = CgroupIn(report, "/a");
  cgroup.own.locked_bytes = locked;
  cgroup.processes = std::move(rows);
  return report;
}

void Tick(BookKeeper& keeper, std::vector<ProcessRow> rows, uint64_t locked = 0,
          absl::Time now = SampleTime()) {
  keeper.Update(ReportOf(std::move(rows), locked), {}, nullptr, now);
}

RuleBook Keys(const BookKeeper& keeper) {
  const auto& policies = keeper.books().policies;
  const auto policy = policies.find("tls");
  if (policy == policies.end()) return {};
  const auto rule = policy->second.rules.find("keys");
  return rule == policy->second.rules.end() ? RuleBook() : rule->second;
}

uint64_t DenialsOf(const BookKeeper& keeper, const std::string& cgroup) {
  uint64_t total = 0;
  const auto book = keeper.books().cgroups.find(cgroup);
  if (book == keeper.books().cgroups.end()) return 0;
  for (const auto& [reason, count] : book->second.denials) total += count;
  return total;
}

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
  EXPECT_LE(keeper.books().policies.size(), 513u);
  EXPECT_GT(keeper.books().policies.at(kOtherName).rules.at("keys").allocations, 2000u);
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
    keeper.Update({}, coverage, nullptr, SampleTime());
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

// A hierarchy of plain files, so that kills and ids are what the test says.
class CgroupBooksTest : public ::testing::Test {
 protected:
  CgroupBooksTest() {
    root_.Write("proc/self/mountinfo", "1 0 0:1 / /cg rw - cgroup cgroup rw,memory\n");
    hierarchy_.emplace(CgroupHierarchy::Find(root_.path()).value());
  }

  void SetOomKills(int count) {
    root_.Write("cg/a/memory.oom_control", absl::StrCat("under_oom 0\noom_kill ", count, "\n"));
  }

  TempDirectory root_;
  TempDirectory state_;
  std::optional<CgroupHierarchy> hierarchy_;
};

TEST_F(CgroupBooksTest, OomKillsCountOnceTheCgroupLocks) {
  BookKeeper keeper = Kept(state_.path(), &*hierarchy_);
  SetOomKills(5);
  Tick(keeper, {}, 0);
  SetOomKills(6);
  Tick(keeper, {}, 4096);  // killed while it locked for the first time
  EXPECT_EQ(keeper.books().cgroups.at("/a").oom_kills, 1u);
  SetOomKills(8);
  Tick(keeper, {}, 0);
  EXPECT_EQ(keeper.books().cgroups.at("/a").oom_kills, 3u);
  ASSERT_TRUE(keeper.Journal().ok());
  SetOomKills(9);
  BookKeeper again = Kept(state_.path(), &*hierarchy_);
  Tick(again, {}, 0);
  EXPECT_EQ(again.books().cgroups.at("/a").oom_kills, 4u);
}

TEST_F(CgroupBooksTest, AnotherCgroupOfThatPathBeginsAnew) {
  BookKeeper keeper = Kept(state_.path(), &*hierarchy_);
  SetOomKills(1);
  Tick(keeper, {}, 4096);
  keeper.Add(SampleDenial("/a"));
  std::filesystem::rename(root_.path() + "/cg/a", root_.path() + "/cg/old");
  SetOomKills(0);
  Tick(keeper, {}, 1024);
  EXPECT_EQ(keeper.books().cgroups.at("/a").peak_locked_bytes, 1024u);
  EXPECT_EQ(DenialsOf(keeper, "/a"), 0u);
}

TEST_F(CgroupBooksTest, GoneCgroupsAreForgottenEmptyOnesAreNot) {
  BookKeeper keeper = Kept(state_.path(), &*hierarchy_);
  SetOomKills(0);
  Tick(keeper, {}, 4096);
  const absl::Time later = SampleTime() + absl::Hours(1);
  keeper.Update({}, {}, nullptr, later);
  EXPECT_THAT(keeper.books().cgroups, SizeIs(1));
  std::filesystem::remove_all(root_.path() + "/cg/a");
  keeper.Update({}, {}, nullptr, later + absl::Minutes(9));
  EXPECT_THAT(keeper.books().cgroups, SizeIs(1));
  keeper.Update({}, {}, nullptr, later + absl::Minutes(11));
  EXPECT_THAT(keeper.books().cgroups, IsEmpty());
}

struct Shown {
  uint64_t denials;
  uint64_t peak;
  uint64_t allocations;
};

Shown ShownBy(const BookKeeper& keeper) {
  const auto book = keeper.books().cgroups.find("/a");
  return {DenialsOf(keeper, "/a"),
          book == keeper.books().cgroups.end() ? 0 : book->second.peak_locked_bytes,
          Keys(keeper).allocations};
}

// A process of the host that locks to new peaks, is refused, allocates, ends; `at` is its time.
void TickOfHost(BookKeeper& keeper, uint64_t at) {
  if (at % 3 == 0) keeper.Add(SampleDenial("/a"));
  const uint64_t life = at / 50;
  Tick(keeper, {FencedRow(7, life + 1, at % 50 * 10)}, at % 50 < 25 ? at * 4096 : 0,
       SampleTime() + absl::Seconds(static_cast<int64_t>(at)));
}

[[noreturn]] void KeepUntilKilled(const std::string& directory, uint64_t at, int shown) {
  auto keeper = BookKeeper::Open(directory);
  if (!keeper.ok()) _exit(1);
  for (;; ++at) {
    TickOfHost(*keeper, at);
    const absl::Status status = at % 20 == 0 ? keeper->Save() : keeper->Journal();
    const Shown values = ShownBy(*keeper);
    if (!status.ok() || write(shown, &values, sizeof(values)) != sizeof(values)) _exit(1);
  }
}

TEST(BookKeeperTest, KilledTwoHundredTimes) {
  const TempDirectory directory;
  std::mt19937 random(4712);
  Shown last = {};
  uint64_t at = 0;
  for (int round = 0; round < 200; ++round) {
    int pipes[2];
    ASSERT_EQ(pipe(pipes), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      close(pipes[0]);
      KeepUntilKilled(directory.path(), at, pipes[1]);
    }
    close(pipes[1]);
    pollfd answer = {pipes[0], POLLIN, 0};
    if (round % 4 != 0) poll(&answer, 1, 10000);
    usleep(random() % 5000);
    kill(pid, SIGKILL);
    int status = 0;
    waitpid(pid, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the keeper failed";
    for (Shown shown; read(pipes[0], &shown, sizeof(shown)) == sizeof(shown); ++at) {
      ASSERT_GE(shown.denials, last.denials);
      ASSERT_GE(shown.peak, last.peak);
      ASSERT_GE(shown.allocations, last.allocations);
      last = shown;
    }
    close(pipes[0]);
    const BookKeeper keeper = Kept(directory.path());
    ASSERT_THAT(keeper.notes(), IsEmpty());
    ASSERT_GE(ShownBy(keeper).denials, last.denials);
    ASSERT_LE(ShownBy(keeper).denials, last.denials + 1);  // of a tick that was not shown
    ASSERT_GE(ShownBy(keeper).peak, last.peak);
    last.denials = ShownBy(keeper).denials;
  }
  EXPECT_GT(at, 500u);
}

}  // namespace
}  // namespace pagewarden
