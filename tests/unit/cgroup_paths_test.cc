// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "agent/cgroup/paths.h"

namespace pagewarden {
namespace {

TEST(ParentCgroup, EndsAtTheRoot) {
  EXPECT_EQ(ParentCgroup("/a/b"), "/a");
  EXPECT_EQ(ParentCgroup("/a"), "/");
  EXPECT_EQ(ParentCgroup("/"), "");
  EXPECT_EQ(ParentCgroup(""), "");
  EXPECT_EQ(ParentCgroup("(others)"), "");
}

TEST(ParentCgroup, DoesNotLeadIntoTheNamespaceFromOutside) {
  EXPECT_EQ(ParentCgroup("/../a"), "/..");
  EXPECT_EQ(ParentCgroup("/.."), "");
  EXPECT_EQ(ParentCgroup("/../.."), "");
}

TEST(IsAtOrBelowCgroup, ComparesWholeComponents) {
  EXPECT_TRUE(IsAtOrBelowCgroup("/a", "/a"));
  EXPECT_TRUE(IsAtOrBelowCgroup("/a/b", "/a"));
  EXPECT_TRUE(IsAtOrBelowCgroup("/a", "/"));
  EXPECT_FALSE(IsAtOrBelowCgroup("/ab", "/a"));
  EXPECT_FALSE(IsAtOrBelowCgroup("/", "/a"));
  EXPECT_FALSE(IsAtOrBelowCgroup("/../a", "/"));
  EXPECT_TRUE(IsAtOrBelowCgroup("/..a", "/"));
}

}  // namespace
}  // namespace pagewarden
