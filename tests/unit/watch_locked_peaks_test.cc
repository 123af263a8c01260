// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>

#include <optional>

#include "agent/proc/status.h"
#include "agent/watch/locked_peaks.h"
#include "scratch_cgroup.h"
#include "stepping_child.h"

namespace pagewarden {
namespace {

constexpr size_t kPage = 4096;

char* Map(size_t pages, int flags = 0) {
  void* memory = mmap(nullptr, pages * kPage, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  if (memory == MAP_FAILED) _exit(3);
  return static_cast<char*>(memory);
}

void Require(bool condition) {
  if (!condition) _exit(4);
}

void Lock(size_t pages) { Require(mlock(Map(pages), pages * kPage) == 0); }

void LockAndUnlock(size_t pages) {
  char* memory = Map(pages);
  Require(mlock(memory, pages * kPage) == 0 && munlock(memory, pages * kPage) == 0);
}

class LockedPeaksTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto hierarchy = CgroupHierarchy::Find();
    if (!hierarchy.ok()) GTEST_SKIP() << hierarchy.status();
    hierarchy_ = *std::move(hierarchy);
  }

  // Skips where BPF is not for us; a hook that does not load is a failure.
  void Open(const PeakSizes& sizes = {}) {
    HookReport report;
    auto peaks = LockedPeaks::Open(hierarchy_->version(), sizes, &report);
    if (absl::IsPermissionDenied(peaks.status())) GTEST_SKIP() << peaks.status();
    ASSERT_TRUE(peaks.ok()) << peaks.status();
    peaks_ = *std::move(peaks);
    if (!peaks_->is_exact() && peaks_->Report().lost == 0) {
      GTEST_SKIP() << "no hook sees each change here: " << report.hook;
    }
  }

  uint64_t PeakPages(pid_t pid) const {
    const auto peaks = peaks_->ByProcess();
    const auto found = peaks.find(pid);
    if (found == peaks.end()) return 0;
    EXPECT_TRUE(found->second.exact);
    return found->second.bytes / kPage;
  }
  uint64_t PeakPages(const ScratchCgroup& cgroup) const {
    const auto peaks = peaks_->ByCgroup();
    const auto found = peaks.find(cgroup.id());
    if (found == peaks.end()) return 0;
    EXPECT_TRUE(found->second.exact);
    return found->second.bytes / kPage;
  }

  std::optional<CgroupHierarchy> hierarchy_;
  std::optional<LockedPeaks> peaks_;
};

uint64_t LockedNow(pid_t pid) {
  const auto status = ReadStatus(pid);
  return status.ok() ? status->locked_bytes / kPage : ~0ull;
}

#define OPEN_OR_SKIP(...) \
  Open(__VA_ARGS__);      \
  if (IsSkipped() || HasFatalFailure()) return

TEST_F(LockedPeaksTest, WhatWasLockedBetweenTwoLooks) {
  OPEN_OR_SKIP();
  SteppingChild child([](const SteppingChild::Step& step) {
    step();
    LockAndUnlock(37);
    Lock(5);
    step();
  });
  EXPECT_EQ(PeakPages(child.pid()), 0u);
  ASSERT_TRUE(child.Next());
  EXPECT_EQ(LockedNow(child.pid()), 5u);
  EXPECT_EQ(PeakPages(child.pid()), 37u);
}

TEST_F(LockedPeaksTest, EveryWayToLock) {
  OPEN_OR_SKIP();
  SteppingChild child([](const SteppingChild::Step& step) {
    Lock(10);
    step();  // 10
    char* mapped = Map(20, MAP_LOCKED);
    Require(munmap(mapped, 20 * kPage) == 0);
    step();  // 30, and 10 left
    char* grown = Map(2, MAP_LOCKED);
    void* moved = mremap(grown, 2 * kPage, 50 * kPage, MREMAP_MAYMOVE);
    Require(moved != MAP_FAILED);
    Require(mremap(moved, 50 * kPage, kPage, 0) != MAP_FAILED);
    step();  // 60, and 11 left
    Require(mlockall(MCL_FUTURE) == 0);
    char* later = Map(100);
    Require(munmap(later, 100 * kPage) == 0);
    step();  // 111
    Require(sbrk(150 * kPage) != reinterpret_cast<void*>(-1));
    Require(sbrk(-150 * static_cast<intptr_t>(kPage)) != reinterpret_cast<void*>(-1));
    step();  // 161
    Require(munlockall() == 0);
    step();
  });
  EXPECT_EQ(PeakPages(child.pid()), 10u);
  for (const uint64_t peak : {30, 60, 111, 161}) {
    ASSERT_TRUE(child.Next());
    EXPECT_EQ(PeakPages(child.pid()), peak);
  }
  ASSERT_TRUE(child.Next());
  EXPECT_EQ(LockedNow(child.pid()), 0u);
  EXPECT_EQ(PeakPages(child.pid()), 161u);
}

TEST_F(LockedPeaksTest, AllOfTheAddressSpace) {
  OPEN_OR_SKIP();
  SteppingChild child([](const SteppingChild::Step& step) {
    Require(mlockall(MCL_CURRENT) == 0);
    step();
    Require(munlockall() == 0);
    step();
  });
  const uint64_t locked = LockedNow(child.pid());
  EXPECT_GT(locked, 100u);
  ASSERT_TRUE(child.Next());
  EXPECT_EQ(LockedNow(child.pid()), 0u);
  EXPECT_EQ(PeakPages(child.pid()), locked);
}

// What was locked before the watch began counts; what was given up before does not.
TEST_F(LockedPeaksTest, ProcessesThatWereThereBefore) {
  SteppingChild child([](const SteppingChild::Step& step) {
    LockAndUnlock(90);
    Lock(12);
    step();
    LockAndUnlock(3);
    step();
  });
  OPEN_OR_SKIP();
  EXPECT_EQ(PeakPages(child.pid()), 12u);
  ASSERT_TRUE(child.Next());
  EXPECT_EQ(PeakPages(child.pid()), 15u);
}

TEST_F(LockedPeaksTest, ForkLocksNothingAndExecStartsAnew) {
  OPEN_OR_SKIP();
  SteppingChild child([](const SteppingChild::Step& step) {
    Lock(8);
    const pid_t grandchild = fork();
    if (grandchild == 0) {
      Lock(40);
      _exit(0);
    }
    waitpid(grandchild, nullptr, 0);
    step();
    execl("/bin/sleep", "sleep", "100", nullptr);
  });
  EXPECT_EQ(PeakPages(child.pid()), 8u);
  EXPECT_FALSE(child.Next());
  EXPECT_EQ(LockedNow(child.pid()), 0u);
  EXPECT_EQ(PeakPages(child.pid()), 8u);
  const pid_t pid = child.pid();
  child.End();
  EXPECT_EQ(PeakPages(pid), 0u);  // left out
}

// The sum of a cgroup is highest while a child that has ended since was there.
TEST_F(LockedPeaksTest, CgroupPeakIsOfTheSum) {
  ScratchCgroup cgroup(*hierarchy_, "peaks");
  if (!cgroup.made()) GTEST_SKIP() << "cannot make cgroups here";
  OPEN_OR_SKIP();
  SteppingChild child([](const SteppingChild::Step& step) {
    step();
    Lock(8);
    const pid_t grandchild = fork();
    if (grandchild == 0) {
      LockAndUnlock(60);  // 68 together
      Lock(50);
      _exit(0);  // gives 50 back
    }
    waitpid(grandchild, nullptr, 0);
    LockAndUnlock(30);                 // 38
    char* part = Map(40, MAP_LOCKED);  // 48
    Require(munmap(part, 39 * kPage) == 0);
    LockAndUnlock(58);  // 67
    step();
    LockAndUnlock(61);  // 70
    step();
  });
  ASSERT_TRUE(cgroup.Add(child.pid()));
  EXPECT_EQ(PeakPages(cgroup), 0u);
  ASSERT_TRUE(child.Next());
  EXPECT_EQ(LockedNow(child.pid()), 9u);
  EXPECT_EQ(PeakPages(cgroup), 68u);
  ASSERT_TRUE(child.Next());
  EXPECT_EQ(PeakPages(cgroup), 70u);
  child.End();
}

TEST_F(LockedPeaksTest, MovesBetweenCgroups) {
  ScratchCgroup from(*hierarchy_, "from");
  ScratchCgroup to(*hierarchy_, "to");
  if (!from.made() || !to.made()) GTEST_SKIP() << "cannot make cgroups here";
  OPEN_OR_SKIP();
  const auto lock_twice = [](const SteppingChild::Step& step) {
    step();
    Lock(7);
    step();
    Lock(4);
    step();
  };
  SteppingChild mover(lock_twice);
  SteppingChild stayer(lock_twice);
  ASSERT_TRUE(from.Add(mover.pid()) && from.Add(stayer.pid()));
  ASSERT_TRUE(mover.Next() && stayer.Next());
  EXPECT_EQ(PeakPages(from), 14u);
  ASSERT_TRUE(to.Add(mover.pid()));
  EXPECT_EQ(PeakPages(to), 7u);
  ASSERT_TRUE(mover.Next() && stayer.Next());
  EXPECT_EQ(PeakPages(from), 14u);  // 11 now
  EXPECT_EQ(PeakPages(to), 11u);
  const uint64_t id = to.id();
  mover.End();
  ASSERT_TRUE(to.Remove());
  EXPECT_EQ(peaks_->ByCgroup().count(id), 0u);
}

// A child of vfork runs in its parent's memory: that is counted once.
TEST_F(LockedPeaksTest, SharedAddressSpaceIsOne) {
  ScratchCgroup cgroup(*hierarchy_, "vfork");
  if (!cgroup.made()) GTEST_SKIP() << "cannot make cgroups here";
  OPEN_OR_SKIP();
  SteppingChild child([](const SteppingChild::Step& step) {
    step();
    char* stack = Map(16);
    const auto lock = [](void*) {
      Lock(21);
      return 0;
    };
    const pid_t pid = clone(lock, stack + 16 * kPage, CLONE_VM | CLONE_VFORK | SIGCHLD, nullptr);
    waitpid(pid, nullptr, 0);
    step();
  });
  ASSERT_TRUE(cgroup.Add(child.pid()));
  ASSERT_TRUE(child.Next());
  EXPECT_EQ(LockedNow(child.pid()), 21u);
  EXPECT_EQ(PeakPages(child.pid()), 21u);
  EXPECT_EQ(PeakPages(cgroup), 21u);
}

TEST_F(LockedPeaksTest, SaysWhenThereWasNoRoom) {
  OPEN_OR_SKIP({.max_processes = 1, .max_cgroups = 1});
  SteppingChild one([](const SteppingChild::Step& step) { Lock(1), step(); });
  SteppingChild two([](const SteppingChild::Step& step) { Lock(1), step(); });
  EXPECT_GT(peaks_->Report().lost, 0u);
  EXPECT_FALSE(peaks_->is_exact());
  for (const auto& [pid, peak] : peaks_->ByProcess()) EXPECT_FALSE(peak.exact) << pid;
}

}  // namespace
}  // namespace pagewarden
