// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include "agent/policy/directories.h"
#include "agent/policy/effective_mode.h"
#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;

std::string Policy(const std::string& name) {
  return "apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\nmetadata: {name: " + name +
         "}\nspec: {rules: [{match: {during: [f]}}]}\n";
}

class DropInsTest : public ::testing::Test {
 protected:
  std::vector<std::string> Names() {
    PolicySet set;
    Diagnostics diagnostics;
    LoadDropIns(directories_, set, diagnostics);
    EXPECT_EQ(diagnostics.Render(), "");
    std::vector<std::string> names;
    for (const AllocationPolicy& policy : set.policies) names.push_back(policy.metadata.name);
    return names;
  }

  TempDirectory root_;
  std::vector<std::string> directories_ = {root_.path() + "/usr", root_.path() + "/etc",
                                           root_.path() + "/run"};
};

TEST_F(DropInsTest, LaterDirectoriesHideFilesOfTheSameName) {
  root_.Write("usr/10-a.yaml", Policy("usr-a"));
  root_.Write("usr/20-b.yaml", Policy("usr-b"));
  root_.Write("etc/20-b.yaml", Policy("etc-b"));
  root_.Write("run/05-c.yml", Policy("run-c"));
  EXPECT_THAT(Names(), ElementsAre("run-c", "usr-a", "etc-b"));
  Diagnostics diagnostics;
  EXPECT_THAT(ListDropIns(directories_, diagnostics)[2].hidden,
              ElementsAre(root_.path() + "/usr/20-b.yaml"));
}

TEST_F(DropInsTest, EmptyFilesAndLinksToDevNullMask) {
  root_.Write("usr/a.yaml", Policy("a"));
  root_.Write("usr/b.yaml", Policy("b"));
  root_.Write("usr/c.yaml", Policy("c"));
  root_.Write("etc/a.yaml", "");
  root_.Write("run/x", "");
  ASSERT_EQ(symlink("/dev/null", (root_.path() + "/run/b.yaml").c_str()), 0);
  EXPECT_THAT(Names(), ElementsAre("c"));
}

TEST_F(DropInsTest, MissingAndEmptyDirectoriesAreNoErrors) {
  EXPECT_THAT(Names(), ElementsAre());
  root_.Write("etc/README", "");
  EXPECT_THAT(Names(), ElementsAre());
}

// What the kubelet makes of a ConfigMap.
TEST_F(DropInsTest, ReadsAConfigMapOnce) {
  root_.Write("etc/..2026_01_01/team.yaml", Policy("team"));
  root_.Write("etc/.team.yaml.swp.yaml", "an editor's");
  ASSERT_EQ(symlink("..2026_01_01", (root_.path() + "/etc/..data").c_str()), 0);
  ASSERT_EQ(symlink("..data/team.yaml", (root_.path() + "/etc/team.yaml").c_str()), 0);
  EXPECT_THAT(Names(), ElementsAre("team"));
}

TEST(EffectiveMode, IsTheLowestOfAll) {
  using abi::Mode;
  EXPECT_EQ(EffectiveMode(Mode::kEnforce, {}), Mode::kEnforce);
  EXPECT_EQ(EffectiveMode(Mode::kEnforce, {Mode::kAudit, {}, {}}), Mode::kAudit);
  EXPECT_EQ(EffectiveMode(Mode::kAudit, {Mode::kEnforce, Mode::kEnforce, Mode::kEnforce}), Mode::kAudit);
  EXPECT_EQ(EffectiveMode(Mode::kEnforce, {Mode::kAudit, {}, Mode::kDisabled}), Mode::kDisabled);
  EXPECT_EQ(EffectiveMode(Mode::kEnforce, {{}, Mode::kAudit, {}}), Mode::kAudit);
}

TEST(EffectiveMode, TheOverrideIsAWordInAFile) {
  const TempDirectory directory;
  const std::string path = directory.path() + "/mode";
  EXPECT_EQ(*ReadModeOverride(path), std::optional<abi::Mode>());
  directory.Write("mode", "Audit\n");
  EXPECT_EQ(*ReadModeOverride(path), abi::Mode::kAudit);
  directory.Write("mode", "audit\n");
  EXPECT_TRUE(absl::IsInvalidArgument(ReadModeOverride(path).status()));
}

}  // namespace
}  // namespace pagewarden
