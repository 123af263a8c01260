// SPDX-License-Identifier: Apache-2.0
// The `pagewarden run` of the build tree, as a user calls it.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};

std::string Pagewarden() {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  return (self.parent_path() / "../../agent/pagewarden").lexically_normal().string();
}

Outcome RunPagewarden(const std::string& arguments, const std::string& before = "") {
  const TempDirectory directory;
  const std::string command = before + Pagewarden() + " run " + arguments + " >" +
                              directory.path() + "/out 2>" + directory.path() + "/err";
  const int status = system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, ReadFile(directory.path() + "/out"),
          ReadFile(directory.path() + "/err")};
}

TEST(RunCommand, PassesTheExitCodeAndTheArgumentsThrough) {
  const Outcome outcome = RunPagewarden("-- /bin/sh -c 'echo \"$@\"; exit 7' x --policy -- y");
  EXPECT_EQ(outcome.exit_code, 7) << outcome.err;
  EXPECT_EQ(outcome.out, "--policy -- y\n");
}

TEST(RunCommand, SetsTheEnvironment) {
  const Outcome outcome = RunPagewarden(
      "-- /bin/sh -c 'echo \"$LD_PRELOAD\"; echo \"$LD_BIND_NOW\"; head -c 8 "
      "\"$PAGEWARDEN_IMAGE\"'");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("/scopes.so:"));
  // What root starts follows its policies.
  const std::string magic = geteuid() == 0 ? "PWLIVEIM" : "PWPOLICY";
  EXPECT_THAT(outcome.out, EndsWith("/libpagewarden.so\n1\n" + magic));
}

TEST(RunCommand, PreloadsNoScopeLibraryWithoutAFunctionToInterpose) {
  const TempDirectory directory;
  const std::string policy = directory.Write(
      "all.yaml",
      "apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\nmetadata: {name: all}\nspec: "
      "{rules: [{match: {all: true}}]}\n");
  const Outcome outcome = RunPagewarden("--policy " + policy + " -- /bin/sh -c " +
                                            "'echo \"$LD_PRELOAD\"; cat \"$PAGEWARDEN_IMAGE\"'",
                                        "LD_PRELOAD= ");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("/"));
  EXPECT_THAT(outcome.out, HasSubstr("/libpagewarden.so\nPWPOLICY"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("scopes.so")));
}

TEST(RunCommand, RaisesTheSoftMemlockLimitToTheHardOne) {
  const Outcome outcome = RunPagewarden("-- /bin/sh -c 'ulimit -S -l; ulimit -H -l'",
                                        "ulimit -S -l 64; ulimit -H -l 2048; ");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "2048\n2048\n");
}

TEST(RunCommand, ExitsLikeAShellWithoutACommand) {
  const Outcome missing = RunPagewarden("-- nonesuch-program");
  EXPECT_EQ(missing.exit_code, 127);
  EXPECT_EQ(missing.err, "pagewarden: nonesuch-program: command not found\n");
  const Outcome refused = RunPagewarden("-- /etc/passwd");
  EXPECT_EQ(refused.exit_code, 126);
  EXPECT_EQ(refused.err, "pagewarden: /etc/passwd: not an executable file\n");
}

TEST(RunCommand, ExitsTwoOnWrongUsage) {
  EXPECT_EQ(RunPagewarden("").exit_code, 2);
  EXPECT_EQ(RunPagewarden("--bogus -- true").exit_code, 2);
  EXPECT_EQ(RunPagewarden("--mode enforce -- true").exit_code, 2);
}

TEST(RunCommand, DoesNotStartTheCommandUnderAWrongPolicy) {
  const TempDirectory directory;
  const std::string policy =
      directory.Write("four.yaml", ReadFile(SOURCE_ROOT "/tests/cases/policy/four_errors.yaml"));
  const Outcome outcome =
      RunPagewarden("--policy " + policy + " -- touch " + directory.path() + "/started");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, StartsWith(policy + ":5:3: error PW-P010: unknown key \"mdoe\"\n"));
  EXPECT_THAT(outcome.err, HasSubstr("invalid policy: 4 errors; the command was not started\n"));
  EXPECT_FALSE(std::filesystem::exists(directory.path() + "/started"));
}

TEST(RunCommand, TakesPolicySeveralTimes) {
  const TempDirectory directory;
  const auto write = [&](const std::string& name) {
    return directory.Write(name + ".yaml",
                           "apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\nmetadata: "
                           "{name: " +
                               name + "}\nspec: {rules: [{match: {during: [f]}}]}\n");
  };
  const Outcome outcome = RunPagewarden("--policy " + write("one") + " --policy " + write("two") +
                                        " -- /bin/sh -c 'cat \"$PAGEWARDEN_IMAGE\"'");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("one"));
  EXPECT_THAT(outcome.out, HasSubstr("two"));
}

TEST(RunCommand, WarnsAndStillRunsWhatNoPolicySelects) {
  const TempDirectory directory;
  const std::string policy = directory.Write(
      "p.yaml",
      "apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\nmetadata: {name: p}\nspec: "
      "{selector: {matchBinaries: [/usr/sbin/nginx]}, rules: [{match: {during: [f]}}]}\n");
  const Outcome outcome = RunPagewarden("--policy " + policy + " -- /bin/echo hello");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out, "hello\n");
  EXPECT_THAT(outcome.err, HasSubstr("warning no policy selects /usr/bin/echo"));
}

}  // namespace
}  // namespace pagewarden
