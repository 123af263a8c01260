// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include "agent/policy/load.h"
#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

std::string Policy(const std::string& name) {
  return "apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\nmetadata: {name: " + name +
         "}\nspec: {rules: [{match: {during: [f]}}]}\n";
}

std::string Findings(const std::string& path, PolicySet* set = nullptr) {
  PolicySet unused;
  Diagnostics diagnostics;
  LoadPath(path, set == nullptr ? unused : *set, diagnostics);
  return diagnostics.Render();
}

TEST(LoadPath, ReadsTheYamlFilesOfADirectoryByName) {
  const TempDirectory directory;
  directory.Write("20-b.yaml", Policy("b"));
  directory.Write("10-a.yml", Policy("a"));
  directory.Write("README", "not a policy");
  directory.Write("below/c.yaml", Policy("c"));
  PolicySet set;
  EXPECT_EQ(Findings(directory.path(), &set), "");
  ASSERT_EQ(set.policies.size(), 2u);
  EXPECT_EQ(set.policies[0].metadata.name, "a");
  EXPECT_EQ(set.policies[1].metadata.name, "b");
}

TEST(LoadPath, SaysWhatCannotBeRead) {
  const TempDirectory directory;
  EXPECT_EQ(Findings(directory.path()),
            directory.path() + ": error PW-P013: there is no *.yaml file here\n");
  EXPECT_EQ(Findings(directory.path() + "/x.yaml"),
            directory.path() + "/x.yaml: error PW-P001: No such file or directory\n");
}

TEST(LoadPath, RefusesFilesThatOthersCanWrite) {
  const TempDirectory directory;
  const std::string path = directory.Write("a.yaml", Policy("a"));
  for (mode_t mode : {0664, 0646, 0666}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    EXPECT_NE(Findings(path).find("error PW-P002: not trusted: mode 06"), std::string::npos);
  }
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  EXPECT_EQ(Findings(path), "");
}

TEST(LoadPath, RefusesFilesOfOtherUsers) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to give a file away";
  const TempDirectory directory;
  const std::string path = directory.Write("a.yaml", Policy("a"));
  ASSERT_EQ(chown(path.c_str(), 12345, 0), 0);
  EXPECT_NE(Findings(path).find("error PW-P002: not trusted: owned by uid 12345"),
            std::string::npos);
  // A link does not make it better: what counts is the file.
  const std::string link = directory.path() + "/link.yaml";
  ASSERT_EQ(symlink(path.c_str(), link.c_str()), 0);
  EXPECT_NE(Findings(link).find("error PW-P002"), std::string::npos);
}

TEST(LoadPath, DoesNotHangOnAPipeNorSwallowAHugeFile) {
  const TempDirectory directory;
  const std::string pipe = directory.path() + "/pipe.yaml";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_NE(Findings(pipe).find("error PW-P002: not a regular file"), std::string::npos);
  const std::string huge = directory.Write("huge.yaml", "");
  ASSERT_EQ(truncate(huge.c_str(), off_t{1} << 40), 0);
  EXPECT_NE(Findings(huge).find("error PW-P006: larger than 1048576 bytes"), std::string::npos);
}

}  // namespace
}  // namespace pagewarden
