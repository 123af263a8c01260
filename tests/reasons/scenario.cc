// SPDX-License-Identifier: Apache-2.0
#include "tests/reasons/scenario.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "tests/reasons/setup.h"

namespace pagewarden {
namespace {

[[noreturn]] void Play(const Scenario& scenario, int in, int out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Stage stage;
  std::string skip = scenario.prepare(stage).substr(0, 200);
  skip.push_back('\0');
  char go;
  if (write(out, skip.data(), skip.size()) < 0 || read(in, &go, 1) != 1) _exit(0);
  errno = 0;
  Outcome outcome;
  outcome.result = scenario.attempt(stage);
  outcome.error = errno;
  if (write(out, &outcome, sizeof(outcome)) < 0) _exit(1);
  while (read(in, &go, 1) > 0) continue;
  _exit(0);
}

}  // namespace

ScenarioProcess::ScenarioProcess(const Scenario& scenario) {
  int down[2], up[2];
  if (pipe(down) != 0 || pipe(up) != 0) abort();
  pid_ = fork();
  if (pid_ < 0) abort();
  if (pid_ == 0) {
    close(down[1]);
    close(up[0]);
    Play(scenario, down[0], up[1]);
  }
  close(down[0]);
  close(up[1]);
  to_child_ = down[1];
  from_child_ = up[0];
  skip_reason_ = "it died while it prepared";
  char c;
  std::string text;
  while (read(from_child_, &c, 1) == 1) {
    if (c == '\0') {
      skip_reason_ = text;
      break;
    }
    text += c;
  }
}

Outcome ScenarioProcess::Go() {
  Outcome outcome;
  if (write(to_child_, "g", 1) != 1) abort();
  if (read(from_child_, &outcome, sizeof(outcome)) == sizeof(outcome)) return outcome;
  int status = 0;
  waitpid(pid_, &status, 0);
  RemoveMemoryCgroupOf(pid_);
  pid_ = -1;
  outcome.result = -1;
  outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return outcome;
}

ScenarioProcess::~ScenarioProcess() {
  close(to_child_);
  close(from_child_);
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    RemoveMemoryCgroupOf(pid_);
  }
}

std::vector<Scenario> AllScenarios() {
  std::vector<Scenario> all = MlockScenarios();
  for (const auto& more : {MappingScenarios(), OtherCounterScenarios(), ControlScenarios()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace pagewarden
