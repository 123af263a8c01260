// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/status/status.h"
#include "agent/proof/process_sets.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::Not;

TEST(DescendantsTest, FindsGrandchildrenButNotTheRoots) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const pid_t grandchild = fork();
    if (grandchild != 0 && write(ready[1], &grandchild, sizeof(grandchild)) < 0) _exit(1);
    pause();
    _exit(0);
  }
  pid_t grandchild = 0;
  ASSERT_EQ(read(ready[0], &grandchild, sizeof(grandchild)), ssize_t{sizeof(grandchild)});
  const auto found = Descendants({getpid()});
  const auto below_child = Descendants({child});
  kill(grandchild, SIGKILL);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  ASSERT_TRUE(found.ok());
  EXPECT_THAT(*found, IsSupersetOf({child, grandchild}));
  EXPECT_THAT(*found, Not(Contains(getpid())));
  EXPECT_THAT(*below_child, ElementsAre(grandchild));
}

TEST(CgroupProcessesTest, ReadsTheWholeSubtree) {
  TempDirectory directory;
  std::filesystem::create_directories(directory.path() + "/a/b/c");
  std::filesystem::create_directories(directory.path() + "/sibling");
  directory.Write("a/cgroup.procs", "30\n7\n");
  directory.Write("a/b/cgroup.procs", "");
  directory.Write("a/b/c/cgroup.procs", "12\n0\n7\n");
  directory.Write("sibling/cgroup.procs", "99\n");
  const auto pids = CgroupProcesses(directory.path() + "/a");
  ASSERT_TRUE(pids.ok()) << pids.status();
  EXPECT_THAT(*pids, ElementsAre(7, 12, 30));
}

TEST(CgroupProcessesTest, TakesPathsAsTheKernelPrintsThem) {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  const std::string path = line.substr(line.find(':', line.find(':') + 1) + 1);
  const auto pids = CgroupProcesses(path);
  ASSERT_TRUE(pids.ok()) << path << pids.status();
  EXPECT_THAT(*pids, Contains(getpid()));
}

TEST(CgroupProcessesTest, SaysThatThereIsNone) {
  EXPECT_TRUE(absl::IsNotFound(CgroupProcesses("no/such/cgroup").status()));
  EXPECT_TRUE(absl::IsNotFound(CgroupProcesses("/tmp").status()));
}

}  // namespace
}  // namespace pagewarden
