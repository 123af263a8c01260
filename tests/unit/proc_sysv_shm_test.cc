// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "agent/proc/sysv_shm.h"

namespace pagewarden {
namespace {

constexpr char kHeading[] =
    "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
    "      atime      dtime      ctime                   rss                  swap\n";

std::string Table(const std::string& lines) { return kHeading + lines; }

TEST(ParseLockedSegments, TakesTheLockedOnesInWholePages) {
  const auto segments = ParseLockedSegments(Table(
      "         0          3  2600                  5000   120   121      2    33     0     0"
      "     0          0          0 1700000000                  8192                     0\n"
      "         0          4   600                  4096   120   121      2    33     0     0"
      "     0          0          0 1700000000                  4096                     0\n"));
  ASSERT_TRUE(segments.ok()) << segments.status();
  ASSERT_EQ(segments->size(), 1u);
  EXPECT_EQ((*segments)[0].shmid, 3);
  EXPECT_EQ((*segments)[0].bytes, 8192u);
  EXPECT_EQ((*segments)[0].creator_pid, 120);
  EXPECT_EQ((*segments)[0].attached, 2u);
  EXPECT_EQ((*segments)[0].owner, 33u);
}

TEST(ParseLockedSegments, IsEmptyWithoutSegments) {
  const auto segments = ParseLockedSegments(kHeading);
  ASSERT_TRUE(segments.ok());
  EXPECT_TRUE(segments->empty());
}

TEST(ParseLockedSegments, RefusesWhatIsNotATable) {
  for (const char* line : {"0 3 2600\n", "0 x 2600 1 1 1 1 1 1 1 1\n", "0 1 9999 1 1 1 1 1 1 1 1\n",
                           "0 1 2600 99999999999999999999 1 1 1 1 1 1 1\n"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseLockedSegments(Table(line)).status())) << line;
  }
}

}  // namespace
}  // namespace pagewarden
