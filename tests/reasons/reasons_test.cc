// SPDX-License-Identifier: Apache-2.0
// Every reason provoked for real, and told by the hooks of this kernel: once with the
// results of system calls (trampolines, else --trace-syscalls), once by default.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/watch/attempt_source.h"
#include "tests/reasons/scenario.h"
#include "tests/reasons/setup.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;

// How long an event may take: two vCPUs under emulation are slow.
constexpr absl::Duration kPatience = absl::Seconds(5);
// How long none must come where nothing is refused.
constexpr absl::Duration kSilence = absl::Milliseconds(200);

std::string HookFor(const AttemptSource& source, absl::string_view question) {
  for (const HookReport& report : source.hooks()) {
    if (report.question == question) return report.hook;
  }
  return "";
}

// The word of HookReport for what shows a scenario.
absl::string_view QuestionOf(SeenBy seen_by) {
  switch (seen_by) {
    case SeenBy::kQuestion:
      return "denials";
    case SeenBy::kResult:
    case SeenBy::kSystemCall:
      return "results";
    case SeenBy::kTracepoint:
      return "io_uring buffers";
    case SeenBy::kSignal:
      return "faults";
  }
  return "";
}

std::vector<ObservedAttempt> Wait(AttemptSource& source, pid_t pid, absl::Duration patience) {
  const absl::Time deadline = absl::Now() + patience;
  std::vector<ObservedAttempt> result;
  while (result.empty() && absl::Now() < deadline) {
    pollfd ready = {source.fd(), POLLIN, 0};
    poll(&ready, 1, 10);
    for (ObservedAttempt& seen : source.Take()) {
      if (seen.pid == pid) result.push_back(std::move(seen));
    }
  }
  return result;
}

struct Watcher {
  const char* name;
  std::optional<AttemptSource> source;
};

class Watched : public ::testing::Test {
 protected:
  // Once for all suites: loading takes seconds in an emulated machine.
  static void SetUpTestSuite() {
    if (watchers_ != nullptr || geteuid() != 0) return;
    watchers_ = new std::vector<Watcher>;
    for (const bool trace : {true, false}) {
      AttemptSourceOptions options;
      options.trace_syscalls = trace;
      auto source = AttemptSource::Open(options);
      ASSERT_TRUE(source.ok()) << source.status();
      watchers_->push_back({trace ? "results" : "default", *std::move(source)});
    }
    for (const Watcher& watcher : *watchers_) PrintHooks(watcher);
  }
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }

  static void PrintHooks(const Watcher& watcher) {
    for (const HookReport& report : watcher.source->hooks()) {
      printf("hooks, %s: %s: %s\n", watcher.name, report.question.c_str(),
             report.hook.empty() ? "none" : report.hook.c_str());
    }
  }

  static std::vector<Watcher>* watchers_;
};

std::vector<Watcher>* Watched::watchers_ = nullptr;

class Reasons : public Watched, public ::testing::WithParamInterface<Scenario> {};

std::string Describe(const Outcome& outcome) {
  if (outcome.signal != 0) return strsignal(outcome.signal);
  return outcome.error == 0 ? "0" : strerrorname_np(outcome.error);
}

void PrintRow(const Scenario& scenario, const Outcome& outcome, const Watcher& watcher,
              absl::string_view code, absl::string_view hook) {
  printf("| %s | %s | %s | %s | %s | %s |\n", scenario.name, scenario.call,
         Describe(outcome).c_str(), watcher.name, std::string(code).c_str(),
         std::string(hook).c_str());
}

bool IsSeen(const Scenario& scenario, const AttemptSource& source) {
  const std::string hook = HookFor(source, QuestionOf(scenario.seen_by));
  if (scenario.seen_by == SeenBy::kSystemCall) return absl::StrContains(hook, "sys_exit");
  return !hook.empty();
}

void CheckAttempt(const Scenario& scenario, const ObservedAttempt& seen) {
  EXPECT_EQ(VerdictCode(seen.verdict), scenario.code) << seen.verdict.explanation;
  EXPECT_STREQ(LockCallName(seen.attempt.call), scenario.call) << seen.verdict.explanation;
  EXPECT_EQ(seen.attempt.repeats, 0u);
  if (seen.attempt.result && *seen.attempt.result < 0) {
    EXPECT_EQ(-*seen.attempt.result, scenario.error);
  }
  // Numbers are told in both units.
  if (absl::StrContains(seen.verdict.explanation, "bytes")) {
    EXPECT_THAT(seen.verdict.explanation, HasSubstr("KiB"));
  }
}

TEST_P(Reasons, ToldAsItHappened) {
  const Scenario& scenario = GetParam();
  ScenarioProcess process(scenario);
  if (!process.skip_reason().empty()) GTEST_SKIP() << process.skip_reason();
  for (Watcher& watcher : *watchers_) watcher.source->Take();  // of its preparation

  const pid_t pid = process.pid();
  const Outcome outcome = process.Go();
  EXPECT_EQ(outcome.error, scenario.error) << strerror(outcome.error);
  EXPECT_EQ(outcome.signal, scenario.signal) << strsignal(outcome.signal);

  const bool silent = *scenario.code == '\0';
  for (Watcher& watcher : *watchers_) {
    // A signal is raised with interrupts off, where only the first of two programs can
    // look at the mappings (kernel/bpf/mmap_unlock_work.h). In the field there is one.
    if (scenario.signal == SIGBUS && &watcher != &watchers_->front()) continue;
    const bool seen = IsSeen(scenario, *watcher.source);
    const auto attempts = Wait(*watcher.source, pid, seen && !silent ? kPatience : kSilence);
    const std::string hook = HookFor(*watcher.source, QuestionOf(scenario.seen_by));
    if (silent || !seen) {
      for (const auto& attempt : attempts) ADD_FAILURE() << attempt.verdict.explanation;
      PrintRow(scenario, outcome, watcher, silent ? "nothing told" : "not seen", hook);
      continue;
    }
    ASSERT_EQ(attempts.size(), 1u) << watcher.name;
    CheckAttempt(scenario, attempts[0]);
    PrintRow(scenario, outcome, watcher, VerdictCode(attempts[0].verdict), hook);
    printf("    %s\n", attempts[0].verdict.explanation.c_str());
  }
}

// A loop must not flood the agent, and must not be forgotten either.
TEST_F(Watched, LoopsAreCounted) {
  constexpr uint64_t kTimes = 1000;
  Scenario loop = MlockScenarios()[2];
  ASSERT_STREQ(loop.name, "over-limit");
  loop.attempt = [](Stage& stage) {
    long result = 0;
    for (uint64_t i = 0; i < kTimes; ++i) result = mlock(stage.address, stage.bytes);
    return result;
  };
  ScenarioProcess process(loop);
  const pid_t pid = process.pid();
  EXPECT_EQ(process.Go().error, ENOMEM);
  for (Watcher& watcher : *watchers_) {
    uint64_t told = 0, counted = 0;
    const absl::Time deadline = absl::Now() + kPatience;
    while (told + counted < kTimes && absl::Now() < deadline) {
      for (const auto& seen : Wait(*watcher.source, pid, absl::Milliseconds(100))) {
        EXPECT_EQ(VerdictCode(seen.verdict), "OVER_LIMIT");
        ++told;
        counted += seen.attempt.repeats;
      }
    }
    EXPECT_EQ(told + counted, kTimes) << watcher.name;
    EXPECT_LE(told, 16u * 3 + 1) << watcher.name;  // 16 a second, and one for the rest
    printf("    %s: %lu refusals, %lu told one by one\n", watcher.name, kTimes, told);
  }
}

// One thread holds the lock of the address space as long as it can, by forking; another
// waits for it in mlock, over and over.
[[noreturn]] void WaitForTheAddressSpace(int ready) {
  constexpr uint64_t kLarge = 64 * kMiB;
  memset(Map(kLarge), 1, kLarge);
  if (write(ready, "r", 1) != 1) abort();
  std::thread([] {
    for (;;) {
      const pid_t child = fork();
      if (child == 0) _exit(0);
      waitpid(child, nullptr, 0);
    }
  }).detach();
  const auto lock_and_unlock = [] {
    void* const page = Map(kPage);
    for (;;) {
      mlock(page, kPage);
      munlock(page, kPage);
    }
  };
  std::thread(lock_and_unlock).detach();
  lock_and_unlock();
  abort();
}

// EINTR: nobody is left to see it but the watch.
TEST_F(Watched, KilledWhileItWaits) {
  constexpr int kTries = 50;
  if (sysconf(_SC_NPROCESSORS_ONLN) == 1) GTEST_SKIP() << "one processor: nobody waits";
  AttemptSource& source = *watchers_->front().source;
  ASSERT_FALSE(HookFor(source, "results").empty());
  for (int i = 0; i < kTries; ++i) {
    int ready[2];
    char c;
    ASSERT_EQ(pipe(ready), 0);
    const pid_t pid = fork();
    if (pid == 0) WaitForTheAddressSpace(ready[1]);
    ASSERT_GT(pid, 0);
    ASSERT_EQ(read(ready[0], &c, 1), 1);
    close(ready[0]);
    close(ready[1]);
    usleep(20000 + 1000 * i);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    for (const auto& seen : Wait(source, pid, kSilence)) {
      EXPECT_EQ(VerdictCode(seen.verdict), "SIGNALLED") << seen.verdict.explanation;
      EXPECT_EQ(seen.attempt.result, -EINTR);
      printf("| killed-while-waiting | %s | EINTR | results | SIGNALLED | %s |\n",
             LockCallName(seen.attempt.call), HookFor(source, "results").c_str());
      return;
    }
  }
  FAIL() << "none of " << kTries << " was killed while it waited";
}

std::string NameOf(const ::testing::TestParamInfo<Scenario>& info) {
  std::string name = info.param.name;
  for (char& c : name) {
    if (c == '-') c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Scenarios, Reasons, ::testing::ValuesIn(AllScenarios()), NameOf);

}  // namespace
}  // namespace pagewarden
