// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include "agent/run/program.h"
#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

std::string WriteProgram(const TempDirectory& directory, const std::string& name,
                         const std::string& text) {
  const std::string path = directory.Write(name, text);
  EXPECT_EQ(chmod(path.c_str(), 0755), 0);
  return path;
}

std::string Canonical(const std::string& path) { return std::filesystem::canonical(path).string(); }

TEST(FindProgram, SearchesThePathInOrder) {
  const TempDirectory directory;
  WriteProgram(directory, "one/tool", "#!/bin/sh\n");
  const std::string second = WriteProgram(directory, "two/only", "#!/bin/sh\n");
  const std::string search = directory.path() + "/one:" + directory.path() + "/two";
  EXPECT_EQ(FindProgram("tool", search.c_str())->path, directory.path() + "/one/tool");
  EXPECT_EQ(FindProgram("only", search.c_str())->path, second);
  EXPECT_EQ(FindProgram("ls", nullptr)->executable, Canonical("/bin/ls"));
}

TEST(FindProgram, FollowsLinksForTheExecutableOnly) {
  const TempDirectory directory;
  const std::string link = directory.path() + "/link";
  std::filesystem::create_symlink("/bin/ls", link);
  const absl::StatusOr<Program> program = FindProgram(link, "");
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(program->path, link);
  EXPECT_EQ(program->executable, Canonical("/bin/ls"));
  EXPECT_FALSE(program->is_script);
}

TEST(FindProgram, FollowsInterpreters) {
  const TempDirectory directory;
  const std::string inner = WriteProgram(directory, "inner", "#! \t/bin/sh -e\n");
  const std::string outer = WriteProgram(directory, "outer", "#!" + inner + "\n");
  const absl::StatusOr<Program> program = FindProgram(outer, "");
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(program->path, outer);
  EXPECT_EQ(program->executable, Canonical("/bin/sh"));
  EXPECT_TRUE(program->is_script);
}

TEST(FindProgram, TellsNotFoundFromNotExecutable) {
  const TempDirectory directory;
  const std::string plain = directory.Write("plain", "text");
  const std::string search = directory.path();
  EXPECT_TRUE(absl::IsNotFound(FindProgram("nonesuch", search.c_str()).status()));
  EXPECT_TRUE(absl::IsNotFound(FindProgram("/nonesuch/x", "").status()));
  EXPECT_TRUE(absl::IsNotFound(FindProgram("", "/bin").status()));
  EXPECT_TRUE(absl::IsPermissionDenied(FindProgram("plain", search.c_str()).status()));
  EXPECT_TRUE(absl::IsPermissionDenied(FindProgram(plain, "").status()));
  EXPECT_TRUE(absl::IsPermissionDenied(FindProgram(directory.path(), "").status()));
  const std::string orphan = WriteProgram(directory, "orphan", "#!/nonesuch\n");
  EXPECT_TRUE(absl::IsNotFound(FindProgram(orphan, "").status()));
}

TEST(FindProgram, EndsOnInterpretersInACircle) {
  const TempDirectory directory;
  const std::string path = directory.path() + "/self";
  WriteProgram(directory, "self", "#!" + path + "\n");
  EXPECT_TRUE(absl::IsPermissionDenied(FindProgram(path, "").status()));
}

}  // namespace
}  // namespace pagewarden
