// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/bpf/task_snapshot.h"
#include "agent/cgroup/mountinfo.h"
#include "agent/proc/read_file.h"
#include "agent/proc/status.h"

namespace pagewarden {
namespace {

// Only what says "not here" may skip; a program that does not load is a failure.
bool IsNotHere(const absl::Status& status) {
  return absl::IsPermissionDenied(status) || absl::IsUnimplemented(status);
}

std::optional<task_record> FindRecord(const TaskSnapshot& snapshot, pid_t pid) {
  const auto records = snapshot.Read();
  if (!records.ok()) return std::nullopt;
  for (const task_record& record : *records) {
    if (record.pid == static_cast<uint32_t>(pid)) return record;
  }
  return std::nullopt;
}

// The inode of this process's directory in the hierarchy, 0 if it is not mounted.
uint64_t OwnCgroupInode(CgroupVersion version) {
  const auto mounts = ReadBoundedFile("/proc/self/mountinfo", 1 << 20);
  const auto cgroups = ReadBoundedFile("/proc/self/cgroup", 1 << 16);
  if (!mounts.ok() || !cgroups.ok()) return 0;
  for (const CgroupMount& mount : ParseCgroupMounts(*mounts)) {
    const bool wanted = version == CgroupVersion::kV2 ? mount.v2 : mount.memory;
    if (!wanted || mount.root != "/") continue;
    for (absl::string_view line : absl::StrSplit(*cgroups, '\n')) {
      const std::vector<absl::string_view> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
      if (fields.size() != 3) continue;
      if (fields[1] != (version == CgroupVersion::kV2 ? "" : "memory")) continue;
      struct stat info;
      const std::string path = absl::StrCat(mount.mount_point, fields[2]);
      if (stat(path.c_str(), &info) == 0) return info.st_ino;
    }
  }
  return 0;
}

class TaskSnapshotOf : public ::testing::TestWithParam<CgroupVersion> {};

TEST_P(TaskSnapshotOf, ThisProcessIsRight) {
  const auto snapshot = TaskSnapshot::Open(GetParam());
  if (IsNotHere(snapshot.status())) GTEST_SKIP() << snapshot.status();
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  const auto record = FindRecord(*snapshot, getpid());
  ASSERT_TRUE(record.has_value());
  const auto status = ReadStatus(getpid());
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(record->comm, status->comm);
  EXPECT_EQ(record->effective_uid, geteuid());
  EXPECT_EQ(record->cap_effective, status->cap_effective);
  const uint64_t inode = OwnCgroupInode(GetParam());
  if (inode == 0) GTEST_SKIP() << "this hierarchy is not mounted here";
  EXPECT_EQ(record->cgroup_id, inode);
}

INSTANTIATE_TEST_SUITE_P(Hierarchies, TaskSnapshotOf,
                         ::testing::Values(CgroupVersion::kV1, CgroupVersion::kV2));

TEST(TaskSnapshot, CountsPagesOfEachRead) {
  const auto snapshot = TaskSnapshot::Open(std::nullopt);
  if (IsNotHere(snapshot.status())) GTEST_SKIP() << snapshot.status();
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  const auto before = FindRecord(*snapshot, getpid());
  void* const pages =
      mmap(nullptr, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(mlock(pages, 3 * 4096), 0);
  const auto after = FindRecord(*snapshot, getpid());
  munmap(pages, 3 * 4096);
  ASSERT_TRUE(before.has_value() && after.has_value());
  EXPECT_EQ(after->locked_pages - before->locked_pages, 3u);
  EXPECT_EQ(after->cgroup_id, 0u);
}

// What both programs must agree on, of a process that does not move.
void ExpectSame(const task_record& a, const task_record& b) {
  EXPECT_EQ(a.locked_pages, b.locked_pages);
  EXPECT_EQ(a.total_pages, b.total_pages);
  EXPECT_EQ(a.executable_pages, b.executable_pages);
  EXPECT_EQ(a.soft_limit_bytes, b.soft_limit_bytes);
  EXPECT_EQ(a.hard_limit_bytes, b.hard_limit_bytes);
  EXPECT_EQ(a.cap_permitted, b.cap_permitted);
  EXPECT_EQ(a.cap_bounding, b.cap_bounding);
  EXPECT_EQ(a.start_time_ns, b.start_time_ns);
  EXPECT_EQ(a.exec_id, b.exec_id);
  EXPECT_EQ(a.ipc_namespace, b.ipc_namespace);
  EXPECT_EQ(a.real_uid, b.real_uid);
  EXPECT_EQ(a.flags, b.flags);
  EXPECT_STREQ(a.comm, b.comm);
}

class ManyChildren {
 public:
  explicit ManyChildren(int count) {
    for (int i = 0; i < count; ++i) {
      const pid_t pid = fork();
      if (pid < 0) break;
      if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) pause();
      }
      pids_.push_back(pid);
    }
  }
  ~ManyChildren() {
    for (const pid_t pid : pids_) kill(pid, SIGKILL);
    for (const pid_t pid : pids_) waitpid(pid, nullptr, 0);
  }
  const std::vector<pid_t>& pids() const { return pids_; }

 private:
  std::vector<pid_t> pids_;
};

// More than the walk's array first holds.
TEST(TaskSnapshot, LosesNoProcessAndBothProgramsAgree) {
  const auto walk = TaskSnapshot::Open(std::nullopt, TaskHook::kWalk);
  const auto iterator = TaskSnapshot::Open(std::nullopt, TaskHook::kIterator);
  if (!walk.ok() || !iterator.ok()) GTEST_SKIP() << walk.status() << iterator.status();
  const ManyChildren children(1500);
  ASSERT_EQ(children.pids().size(), 1500u);
  std::map<uint32_t, task_record> found;
  const auto by_walk = walk->Read();
  ASSERT_TRUE(by_walk.ok()) << by_walk.status();
  for (const task_record& record : *by_walk) {
    EXPECT_TRUE(found.emplace(record.pid, record).second) << "twice: " << record.pid;
  }
  const auto by_iterator = iterator->Read();
  ASSERT_TRUE(by_iterator.ok()) << by_iterator.status();
  size_t compared = 0;
  for (const task_record& record : *by_iterator) {
    const bool is_ours = std::find(children.pids().begin(), children.pids().end(),
                                   static_cast<pid_t>(record.pid)) != children.pids().end();
    if (!is_ours) continue;
    ASSERT_EQ(found.count(record.pid), 1u);
    ExpectSame(found[record.pid], record);
    ++compared;
  }
  EXPECT_EQ(compared, children.pids().size());
}

// Runs in a process that is pid 1 of its own namespace: it must see itself as such.
int CheckPidOne() {
  const auto snapshot = TaskSnapshot::Open(std::nullopt);
  if (!snapshot.ok()) return 2;
  prctl(PR_SET_NAME, "pid-one");
  const auto record = FindRecord(*snapshot, getpid());
  return getpid() == 1 && record && std::string(record->comm) == "pid-one" ? 0 : 1;
}

TEST(TaskSnapshot, GivesPidsOfTheReadersNamespace) {
  const auto snapshot = TaskSnapshot::Open(std::nullopt);
  if (IsNotHere(snapshot.status())) GTEST_SKIP() << snapshot.status();
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWPID) != 0) _exit(77);
    const pid_t inner = fork();
    if (inner == 0) _exit(CheckPidOne());
    int status = 0;
    waitpid(inner, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no pid namespaces here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace pagewarden
