// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/cgroup/mountinfo.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

namespace fs = std::filesystem;

constexpr char kV1Memory[] =
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n";
constexpr char kV1Cpu[] = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n";
constexpr char kUnified[] = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
constexpr char kV2[] = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr char kOthers[] = "23 1 0:20 / /sys rw - sysfs sysfs rw\nbroken line\n\n";

// A root directory that holds only what the code reads.
class CgroupHierarchyTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    directory_.Write(path.substr(1), text);
  }
  void MountInfo(const std::string& text) { Write("/proc/self/mountinfo", kOthers + text); }
  uint64_t Inode(const std::string& path) {
    struct stat info;
    return stat((root_ + path).c_str(), &info) == 0 ? info.st_ino : 0;
  }

  const TempDirectory directory_;
  const std::string& root_ = directory_.path();
};

TEST_F(CgroupHierarchyTest, PureV2) {
  MountInfo(kV2);
  Write("/sys/fs/cgroup/memory.stat", "anon 1\nunevictable 4096\n");
  Write("/sys/fs/cgroup/system.slice/nginx.service/memory.stat", "unevictable 8192\nanon 3\n");
  Write("/sys/fs/cgroup/init.scope/cgroup.procs", "1\n");
  Write("/proc/7/cgroup", "0::/system.slice/nginx.service\n");
  const auto hierarchy = CgroupHierarchy::Find(root_);
  ASSERT_TRUE(hierarchy.ok()) << hierarchy.status();
  EXPECT_EQ(hierarchy->version(), CgroupVersion::kV2);
  EXPECT_EQ(hierarchy->PathOf(7).value_or("?"), "/system.slice/nginx.service");
  // v2 counts with the cgroups below, and no other way.
  EXPECT_EQ(hierarchy->UnevictableOf("/system.slice/nginx.service").subtree, 8192u);
  EXPECT_EQ(hierarchy->UnevictableOf("/system.slice/nginx.service").own, std::nullopt);
  EXPECT_EQ(hierarchy->UnevictableOf("/").subtree, 4096u);
  EXPECT_EQ(hierarchy->UnevictableOf("/init.scope").subtree, std::nullopt);
  const auto paths = hierarchy->PathsById();
  ASSERT_TRUE(paths.ok());
  EXPECT_EQ(paths->size(), 4u);
  EXPECT_EQ(paths->at(Inode("/sys/fs/cgroup")), "/");
  EXPECT_EQ(paths->at(Inode("/sys/fs/cgroup/system.slice/nginx.service")),
            "/system.slice/nginx.service");
}

TEST_F(CgroupHierarchyTest, V1UsesTheMemoryController) {
  MountInfo(absl::StrCat(kV1Cpu, kV1Memory));
  Write("/sys/fs/cgroup/memory/a/b/memory.stat",
        "cache 0\nunevictable 12288\n"
        "total_unevictable 99999\n");
  Write("/proc/7/cgroup", "5:cpu,cpuacct:/elsewhere\n4:hugetlb,memory:/a/b\n1:name=systemd:/x\n");
  Write("/proc/8/cgroup", "5:cpu,cpuacct:/elsewhere\n1:name=memory:/x\n");
  const auto hierarchy = CgroupHierarchy::Find(root_);
  ASSERT_TRUE(hierarchy.ok()) << hierarchy.status();
  EXPECT_EQ(hierarchy->version(), CgroupVersion::kV1);
  EXPECT_EQ(hierarchy->mount_point(), "/sys/fs/cgroup/memory");
  EXPECT_EQ(hierarchy->PathOf(7).value_or("?"), "/a/b");
  EXPECT_EQ(hierarchy->PathOf(8).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(hierarchy->UnevictableOf("/a/b").own, 12288u);
  EXPECT_EQ(hierarchy->UnevictableOf("/a/b").subtree, 99999u);
}

TEST_F(CgroupHierarchyTest, HybridPrefersV1Memory) {
  MountInfo(absl::StrCat(kUnified, kV1Memory, kV1Cpu));
  Write("/proc/7/cgroup", "4:memory:/from/v1\n0::/from/v2\n");
  const auto hierarchy = CgroupHierarchy::Find(root_);
  ASSERT_TRUE(hierarchy.ok());
  EXPECT_EQ(hierarchy->version(), CgroupVersion::kV1);
  EXPECT_EQ(hierarchy->PathOf(7).value_or("?"), "/from/v1");
}

TEST_F(CgroupHierarchyTest, HybridWithMemoryOnV2) {
  MountInfo(absl::StrCat(kV1Cpu, kUnified));
  Write("/proc/7/cgroup", "2:cpu,cpuacct:/v1\n0::/with:colon\n");
  const auto hierarchy = CgroupHierarchy::Find(root_);
  ASSERT_TRUE(hierarchy.ok());
  EXPECT_EQ(hierarchy->version(), CgroupVersion::kV2);
  EXPECT_EQ(hierarchy->mount_point(), "/sys/fs/cgroup/unified");
  EXPECT_EQ(hierarchy->PathOf(7).value_or("?"), "/with:colon");
}

TEST_F(CgroupHierarchyTest, BindMountOfASubtree) {
  MountInfo("35 31 0:32 /docker/abc /sys/fs/cgroup/mem\\040ory rw - cgroup cgroup rw,memory\n");
  Write("/sys/fs/cgroup/mem ory/child/memory.stat", "unevictable 1\n");
  Write("/proc/7/cgroup", "4:memory:/docker/abc/child (deleted)\n");
  const auto hierarchy = CgroupHierarchy::Find(root_);
  ASSERT_TRUE(hierarchy.ok());
  EXPECT_EQ(hierarchy->PathOf(7).value_or("?"), "/docker/abc/child");
  EXPECT_EQ(hierarchy->UnevictableOf("/docker/abc/child").own, 1u);
  EXPECT_EQ(hierarchy->DirectoryOf("/docker/abcd"), "");
  EXPECT_EQ(hierarchy->DirectoryOf("/"), "");
  const auto paths = hierarchy->PathsById();
  ASSERT_TRUE(paths.ok());
  EXPECT_EQ(paths->at(Inode("/sys/fs/cgroup/mem ory/child")), "/docker/abc/child");
  EXPECT_EQ(paths->at(Inode("/sys/fs/cgroup/mem ory")), "/docker/abc");
}

TEST_F(CgroupHierarchyTest, TheWidestMountWins) {
  MountInfo(
      absl::StrCat("35 31 0:32 /deep/below /mnt/narrow rw - cgroup cgroup rw,memory\n", kV1Memory));
  const auto hierarchy = CgroupHierarchy::Find(root_);
  ASSERT_TRUE(hierarchy.ok());
  EXPECT_EQ(hierarchy->mount_point(), "/sys/fs/cgroup/memory");
}

TEST_F(CgroupHierarchyTest, DoesNotFollowLinksOutOfTheTree) {
  MountInfo(kV2);
  Write("/sys/fs/cgroup/a/cgroup.procs", "");
  fs::create_directory_symlink("/", root_ + "/sys/fs/cgroup/a/loop");
  const auto hierarchy = CgroupHierarchy::Find(root_);
  ASSERT_TRUE(hierarchy.ok());
  const auto paths = hierarchy->PathsById();
  ASSERT_TRUE(paths.ok());
  EXPECT_EQ(paths->size(), 2u);
}

TEST_F(CgroupHierarchyTest, SaysThatNothingIsMounted) {
  MountInfo(kV1Cpu);
  EXPECT_EQ(CgroupHierarchy::Find(root_).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CgroupHierarchyTest, RefusesNonsenseInMemoryStat) {
  MountInfo(kV2);
  Write("/sys/fs/cgroup/a/memory.stat", "unevictable -1\nunevictable x\nunevictable");
  const auto hierarchy = CgroupHierarchy::Find(root_);
  ASSERT_TRUE(hierarchy.ok());
  EXPECT_EQ(hierarchy->UnevictableOf("/a").subtree, std::nullopt);
}

TEST(CgroupHierarchy, KnowsThisProcess) {
  const auto hierarchy = CgroupHierarchy::Find();
  if (!hierarchy.ok()) GTEST_SKIP() << hierarchy.status();
  const auto path = hierarchy->PathOf(getpid());
  ASSERT_TRUE(path.ok()) << path.status();
  struct stat info;
  ASSERT_EQ(stat(hierarchy->DirectoryOf(*path).c_str(), &info), 0);
  const auto paths = hierarchy->PathsById();
  ASSERT_TRUE(paths.ok());
  EXPECT_EQ(paths->at(info.st_ino), *path);
}

TEST(ParseCgroupMounts, IgnoresShortLines) {
  EXPECT_TRUE(ParseCgroupMounts("1 2 0:1 / /a rw - cgroup2\n- cgroup2 x y\n").empty());
}

}  // namespace
}  // namespace pagewarden
