// SPDX-License-Identifier: Apache-2.0
// The tools of the tests, against `pagewarden verify`.
#include "tests/tools/verify_command.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;

using ToolsTest = VerifyCommandTest;

TEST_F(ToolsTest, CountFindsCopiesAcrossItsBuffers) {
  std::string contents(3 << 20, '\0');
  contents.replace((1 << 20) - 60, p_.size(), p_);
  contents.replace((2 << 20) - 8, p_.size(), Limbs(p_));
  contents.replace(contents.size() - d_.size(), d_.size(), d_);
  const std::string file = directory_.Write("swap", contents);
  const Outcome outcome = Run({PW_COUNT, file, "--secret", key_file_});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.substr(0, 2), "3\n");
  EXPECT_THAT(outcome.out, HasSubstr("\nrsa.p:bytes-be 1\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\nrsa.p:limbs-le 1\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\nrsa.d:bytes-be 1\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\nrsa.q:bytes-be 0\n"));
  EXPECT_EQ(Run({PW_COUNT, file}).exit_code, kExitUsage);
}

TEST_F(ToolsTest, SqueezeSparesLockedMappings) {
  const Child child({PW_PLANT, "heap", p_file_, "locked", d_file_});
  const Outcome outcome = Run({PW_SQUEEZE, child.pid()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("advised, 1 refused"));
  EXPECT_EQ(VerifyPid(child).Json().at("summary").at("copies"), 2);
  EXPECT_EQ(Run({PW_SQUEEZE, "4194303"}).exit_code, kExitPartialData);
}

}  // namespace
}  // namespace pagewarden
