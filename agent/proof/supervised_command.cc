// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/supervised_command.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/base/spawn_settings.h"
#include "agent/proof/process_sets.h"

namespace pagewarden {
namespace {

constexpr absl::Duration kGrace = absl::Seconds(5);
constexpr absl::Duration kPoll = absl::Milliseconds(100);

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

int Spawn(const std::vector<std::string>& arguments, char* const* environment, const sigset_t& mask,
          pid_t& pid) {
  const std::vector<char*> argv = Pointers(arguments);
  SpawnSettings settings;
  settings.PrintToStandardError();
  settings.SetSignalMask(mask);
  return posix_spawnp(&pid, argv[0], &settings.actions, &settings.attributes, argv.data(),
                      environment);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SupervisedCommand>> SupervisedCommand::Start(
    const std::vector<std::string>& arguments, const std::vector<std::string>* environment) {
  sigset_t signals;
  sigset_t previous;
  sigemptyset(&signals);
  for (const int signal : {SIGCHLD, SIGHUP, SIGINT, SIGTERM}) sigaddset(&signals, signal);
  sigprocmask(SIG_BLOCK, &signals, &previous);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_t pid = 0;
  const std::vector<char*> variables =
      environment == nullptr ? std::vector<char*>() : Pointers(*environment);
  const int error =
      Spawn(arguments, environment == nullptr ? environ : variables.data(), previous, pid);
  if (error != 0) {
    sigprocmask(SIG_SETMASK, &previous, nullptr);
    return absl::ErrnoToStatus(error, absl::StrCat("cannot start ", arguments[0]));
  }
  return std::unique_ptr<SupervisedCommand>(new SupervisedCommand(pid, signals, previous));
}

SupervisedCommand::~SupervisedCommand() {
  Stop();
  sigprocmask(SIG_SETMASK, &previous_, nullptr);
}

int SupervisedCommand::Settle(absl::Duration time) {
  const absl::Time deadline = absl::Now() + time;
  while (!IsGone()) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) break;
    const timespec timeout = absl::ToTimespec(std::min(left, kPoll));
    const int signal = sigtimedwait(&signals_, nullptr, &timeout);
    if (signal > 0 && signal != SIGCHLD) return signal;
    Reap();
  }
  return 0;
}

absl::StatusOr<std::vector<pid_t>> SupervisedCommand::Processes() const {
  return Descendants({getpid()});
}

std::optional<std::string> SupervisedCommand::Ending() const {
  if (!wait_status_.has_value()) return std::nullopt;
  if (WIFSIGNALED(*wait_status_)) {
    return absl::StrCat("was killed by signal ", WTERMSIG(*wait_status_));
  }
  return absl::StrCat("exited with status ", WEXITSTATUS(*wait_status_));
}

void SupervisedCommand::Stop() {
  Reap();
  bool orphans_told = wait_status_.has_value();
  if (orphans_told) {
    SignalAll(SIGTERM);
  } else {
    kill(pid_, SIGTERM);
  }
  const absl::Time deadline = absl::Now() + kGrace;
  while (!IsGone()) {
    if (absl::Now() > deadline) SignalAll(SIGKILL);
    const timespec timeout = absl::ToTimespec(kPoll);
    sigtimedwait(&signals_, nullptr, &timeout);
    Reap();
    if (wait_status_.has_value() && !std::exchange(orphans_told, true)) SignalAll(SIGTERM);
  }
}

void SupervisedCommand::Reap() {
  int status = 0;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid == pid_) wait_status_ = status;
  }
}

// No child is left, and so, for a subreaper, no descendant.
bool SupervisedCommand::IsGone() const {
  siginfo_t info;
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

void SupervisedCommand::SignalAll(int signal) const {
  const auto pids = Processes();
  if (!pids.ok()) return;
  for (const pid_t pid : *pids) kill(pid, signal);
}

}  // namespace pagewarden
