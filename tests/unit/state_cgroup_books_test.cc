// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>
#include <optional>

#include "absl/strings/str_cat.h"
#include "tests/unit/books_samples.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

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
  keeper.Update({}, {}, later);
  EXPECT_THAT(keeper.books().cgroups, SizeIs(1));
  std::filesystem::remove_all(root_.path() + "/cg/a");
  keeper.Update({}, {}, later + absl::Minutes(9));
  EXPECT_THAT(keeper.books().cgroups, SizeIs(1));
  keeper.Update({}, {}, later + absl::Minutes(11));
  EXPECT_THAT(keeper.books().cgroups, IsEmpty());
}

// A user may make cgroups with such names.
TEST(BookKeeperTest, CgroupsWithNamesThatAreNoTextOutliveTheAgent) {
  const TempDirectory directory;
  const std::vector<std::string> paths = {"/a\xff", "/a\xfe", "/a\xef\xbf\xbd", "/hex:2f"};
  BookKeeper keeper = Kept(directory.path());
  for (size_t i = 0; i < paths.size(); ++i) {
    for (size_t times = 0; times <= i; ++times) keeper.Add(SampleDenial(paths[i]));
  }
  ASSERT_TRUE(keeper.Save().ok());
  const BookKeeper again = Kept(directory.path());
  for (size_t i = 0; i < paths.size(); ++i) EXPECT_EQ(DenialsOf(again, paths[i]), i + 1) << i;
}

}  // namespace
}  // namespace pagewarden
