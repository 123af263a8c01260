// SPDX-License-Identifier: Apache-2.0
#include "preload/abi/pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace pagewarden {
namespace {

TEST(PatternTest, MatchesTheWholeText) {
  EXPECT_TRUE(MatchesPattern("malloc", "malloc"));
  EXPECT_FALSE(MatchesPattern("malloc", "mallocx"));
  EXPECT_FALSE(MatchesPattern("malloc", "xmalloc"));
  EXPECT_FALSE(MatchesPattern("malloc", ""));
  EXPECT_TRUE(MatchesPattern("", ""));
}

TEST(PatternTest, StarStandsForAnyRun) {
  EXPECT_TRUE(MatchesPattern("*", ""));
  EXPECT_TRUE(MatchesPattern("*", "anything"));
  EXPECT_TRUE(MatchesPattern("libc.so*", "libc.so"));
  EXPECT_TRUE(MatchesPattern("libc.so*", "libc.so.6"));
  EXPECT_TRUE(MatchesPattern("g_*alloc*", "g_malloc0"));
  EXPECT_TRUE(MatchesPattern("*a*b*c", "xxaxxbxxbxxc"));
  EXPECT_FALSE(MatchesPattern("*a*b*c", "xxaxxcxxb"));
  EXPECT_TRUE(MatchesPattern("*aab", "aaaaaab"));
  EXPECT_TRUE(MatchesPattern("**", "x"));
}

TEST(PatternTest, QuestionMarkStandsForOne) {
  EXPECT_TRUE(MatchesPattern("a?c", "abc"));
  EXPECT_FALSE(MatchesPattern("a?c", "ac"));
  EXPECT_FALSE(MatchesPattern("?", ""));
}

TEST(PatternTest, FilesGoByTheirNameUnlessThePatternHasASlash) {
  EXPECT_TRUE(MatchesFile("libc.so*", "/lib/libc.so.6"));
  EXPECT_FALSE(MatchesFile("/lib/libc.so*", "/usr/lib/libc.so.6"));
  EXPECT_TRUE(MatchesFile("/usr/*/libc.so*", "/usr/lib/libc.so.6"));
  EXPECT_FALSE(MatchesFile("lib", "/lib/libc.so.6"));
  EXPECT_TRUE(MatchesFile("nginx", "nginx"));
}

TEST(PatternTest, ManyStarsTakeNoTime) {
  const std::string text(2000, 'a');
  EXPECT_FALSE(MatchesPattern("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text.c_str()));
}

}  // namespace
}  // namespace pagewarden
