// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "agent/cgroup/path_cache.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

// A tree of plain directories, and processes that say where they are.
class CgroupPathCacheTest : public ::testing::Test {
 protected:
  CgroupPathCacheTest() {
    root_.Write("proc/self/mountinfo", "1 0 0:1 /top /cg rw - cgroup cgroup rw,memory\n");
    Make("/top/a");
    hierarchy_.emplace(CgroupHierarchy::Find(root_.path()).value());
    cache_.emplace(&*hierarchy_);
    EXPECT_TRUE(cache_->StartRound(absl::UnixEpoch()).ok());  // walks
    EXPECT_TRUE(cache_->StartRound(absl::UnixEpoch()).ok());
  }

  std::string DirectoryOf(const std::string& path) const { return hierarchy_->DirectoryOf(path); }

  void Make(const std::string& path) {
    root_.Write(absl::StrCat("cg", path.substr(sizeof("/top") - 1), "/tasks"), "");
  }
  void Put(pid_t pid, const std::string& path) {
    root_.Write(absl::StrCat("proc/", pid, "/cgroup"), absl::StrCat("4:memory:", path, "\n"));
  }
  uint64_t IdOf(const std::string& path) const {
    struct stat info;
    return stat(DirectoryOf(path).c_str(), &info) == 0 ? info.st_ino : 0;
  }

  TempDirectory root_;
  std::optional<CgroupHierarchy> hierarchy_;
  std::optional<CgroupPathCache> cache_;
};

TEST_F(CgroupPathCacheTest, KnowsWhatTheWalkFound) {
  EXPECT_EQ(cache_->Find(IdOf("/top/a"), 1), "/top/a");
}

TEST_F(CgroupPathCacheTest, ANewOneIsAskedOfItsProcessAndTheWalkIsLeft) {
  Make("/top/b");
  Put(1, "/top/b");
  EXPECT_EQ(cache_->Find(IdOf("/top/b"), 1), "/top/b");
  Make("/top/c");
  Put(2, "/top/a");  // has moved on
  EXPECT_EQ(cache_->Find(IdOf("/top/c"), 2), "/top/c");
  Make("/top/d");  // one walk a round
  EXPECT_EQ(cache_->Find(IdOf("/top/d"), 2), "/top/a");
  EXPECT_EQ(cache_->Find(IdOf("/top/d"), 3), "");
}

TEST_F(CgroupPathCacheTest, OneOutsideTheMountCostsNoWalk) {
  Put(1, "/elsewhere");
  EXPECT_EQ(cache_->Find(123456789, 1), "/elsewhere");
  Make("/top/b");
  EXPECT_EQ(cache_->Find(IdOf("/top/b"), 2), "/top/b");
}

}  // namespace
}  // namespace pagewarden
