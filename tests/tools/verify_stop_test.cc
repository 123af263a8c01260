// SPDX-License-Identifier: Apache-2.0
// `pagewarden verify` holds processes still while it searches them, and lets go.
#include <sys/ptrace.h>

#include "tests/tools/verify_command.h"

namespace pagewarden {
namespace {

using ::testing::StartsWith;

using VerifyStopTest = VerifyCommandTest;

// Until the condition holds, or for a while that is long enough.
template <typename Condition>
bool Eventually(Condition condition) {
  for (int i = 0; i < 10000 && !condition(); ++i) usleep(1000);
  return condition();
}

TEST_F(VerifyStopTest, LetsGoOfAllThreads) {
  const Child child({PW_PLANT, "thread", p_file_, "thread", d_file_, "thread", p_limbs_file_});
  const Outcome outcome = VerifyPid(child);
  EXPECT_EQ(outcome.Json().at("summary").at("kinds"),
            nlohmann::json::parse(R"({"ThreadStack": 3})"));
  EXPECT_GT(outcome.Json().at("processes").at(0).at("stoppedMilliseconds"), 0);
  EXPECT_FALSE(child.IsTraced());
  EXPECT_THAT(child.Status("State"), StartsWith("S"));
}

TEST_F(VerifyStopTest, LeavesTheLiveOnesAlone) {
  const Child child({PW_PLANT, "thread", p_file_});
  const Outcome outcome = Verify({"--json", "--live", "--pid", child.pid()});
  EXPECT_EQ(outcome.exit_code, kExitFindings) << outcome.err;
  EXPECT_TRUE(outcome.Json().at("stoppedMilliseconds").is_null());
  EXPECT_TRUE(outcome.Json().at("processes").at(0).at("stoppedMilliseconds").is_null());
}

TEST_F(VerifyStopTest, JobControlIsNotDisturbed) {
  const Child child({PW_PLANT, "heap", p_file_});
  kill(std::stoi(child.pid()), SIGSTOP);
  ASSERT_TRUE(Eventually([&] { return child.Status("State")[0] == 'T'; }));
  EXPECT_EQ(VerifyPid(child).exit_code, kExitFindings);
  EXPECT_TRUE(Eventually([&] { return child.Status("State")[0] == 'T'; }));
  kill(std::stoi(child.pid()), SIGCONT);
  EXPECT_TRUE(Eventually([&] { return child.Status("State")[0] == 'S'; }));
}

TEST_F(VerifyStopTest, ProcessesRunOnIfVerifyIsKilled) {
  const Child child({PW_PLANT, "bulk", p_file_});
  const pid_t verify = Start({PAGEWARDEN, "verify", "--secret", key_file_, "--pid", child.pid()});
  ASSERT_TRUE(Eventually([&] { return child.IsTraced(); }));
  kill(verify, SIGKILL);
  Await(verify);
  EXPECT_TRUE(Eventually([&] { return !child.IsTraced(); }));
  EXPECT_TRUE(Eventually([&] { return child.Status("State")[0] == 'S'; }));
}

TEST_F(VerifyStopTest, SignalsBeforeTheStopAreDelivered) {
  const std::string counter = directory_.path() + "/counter";
  const Child child({"sh", "-c",
                     "n=0; trap 'n=$((n+1)); echo $n >" + counter +
                         "' USR1; echo ready; while :; do sleep 0.01; done"});
  for (int i = 1; i <= 20; ++i) {
    const pid_t verify = Start({PAGEWARDEN, "verify", "--secret", key_file_, "--pid", child.pid()});
    kill(std::stoi(child.pid()), SIGUSR1);
    EXPECT_EQ(Await(verify).exit_code, kExitNoneFound);
    ASSERT_TRUE(Eventually([&] { return Slurp(counter) == absl::StrCat(i, "\n"); })) << i;
  }
}

TEST_F(VerifyStopTest, SignalsDuringTheStopAreDelivered) {
  const Child child({PW_PLANT, "bulk", p_file_});
  const pid_t verify = Start({PAGEWARDEN, "verify", "--secret", key_file_, "--pid", child.pid()});
  ASSERT_TRUE(Eventually([&] { return child.IsTraced(); }));
  kill(std::stoi(child.pid()), SIGTERM);
  EXPECT_EQ(Await(verify).exit_code, kExitFindings);
  EXPECT_TRUE(Eventually([&] { return child.Status("State")[0] == 'Z'; }));
}

TEST_F(VerifyStopTest, WhoIsTracedAlreadyIsSearchedLive) {
  const Child child({PW_PLANT, "heap", p_file_});
  const pid_t pid = std::stoi(child.pid());
  ASSERT_EQ(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
  const Outcome outcome = VerifyPid(child);
  ptrace(PTRACE_INTERRUPT, pid, 0, 0);
  waitpid(pid, nullptr, 0);
  ptrace(PTRACE_DETACH, pid, 0, 0);
  EXPECT_EQ(outcome.exit_code, kExitFindings);
  EXPECT_EQ(outcome.err, absl::StrCat("pagewarden: process ", pid,
                                      " (pw-plant) : searched while it ran, because process ",
                                      getpid(), " is tracing it\n"));
  EXPECT_TRUE(outcome.Json().at("stoppedMilliseconds").is_null());
}

// A parent in vfork(2) cannot be stopped, and need not be: it is asleep.
TEST_F(VerifyStopTest, ParentInVforkIsWaitedForNoLongerThanNeeded) {
  const std::string script =
      "import ctypes, time\n"
      "print('ready', flush=True)\n"
      "libc = ctypes.CDLL(None)\n"
      "vfork = 58\n"
      "if libc.syscall(vfork) == 0:\n"
      "    libc.usleep(1500000)\n"
      "    libc._exit(0)\n"
      "time.sleep(60)\n";
  const Child child({"/usr/bin/python3", "-c", script});
  ASSERT_TRUE(Eventually([&] { return child.Status("State")[0] == 'D'; }));
  const Outcome outcome = Verify({"--json", "--children", "--pid", child.pid()});
  EXPECT_EQ(outcome.exit_code, kExitNoneFound) << outcome.err;
  EXPECT_EQ(outcome.Json().at("processes").size(), 2u);
  EXPECT_TRUE(Eventually([&] { return child.Status("State")[0] == 'S'; }));
}

}  // namespace
}  // namespace pagewarden
