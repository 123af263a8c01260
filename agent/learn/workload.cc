// SPDX-License-Identifier: Apache-2.0
#include "agent/learn/workload.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/base/spawn_settings.h"

namespace pagewarden {
namespace {

constexpr char kSignalPayload[] = "pagewarden/signal";

absl::StatusOr<pid_t> Spawn(const std::string& command) {
  const char* const argv[] = {"sh", "-c", command.c_str(), nullptr};
  sigset_t none;
  sigemptyset(&none);
  SpawnSettings settings;
  settings.PrintToStandardError();
  posix_spawnattr_setpgroup(&settings.attributes, 0);  // to be ended with all that it starts
  settings.SetSignalMask(none, POSIX_SPAWN_SETPGROUP);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, "/bin/sh", &settings.actions, &settings.attributes,
                                const_cast<char* const*>(argv), environ);
  if (error != 0) return absl::ErrnoToStatus(error, "cannot start /bin/sh");
  return pid;
}

absl::Status OutcomeOf(int status) {
  if (WIFSIGNALED(status)) {
    return absl::AbortedError(absl::StrCat("the workload was killed by signal ", WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat("the workload failed: exited with status ", WEXITSTATUS(status)));
}

}  // namespace

absl::Status RunWorkload(const std::string& command, pid_t& group) {
  const auto pid = Spawn(command);
  if (!pid.ok()) return pid.status();
  group = *pid;
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGCHLD, SIGHUP, SIGINT, SIGTERM}) sigaddset(&signals, signal);
  int status = 0;
  while (waitpid(*pid, &status, WNOHANG) == 0) {
    const timespec timeout{0, 100'000'000};
    const int signal = sigtimedwait(&signals, nullptr, &timeout);
    if (signal <= 0 || signal == SIGCHLD) continue;
    EndWorkload(group);
    waitpid(*pid, &status, 0);
    return InterruptedBy(signal);
  }
  return OutcomeOf(status);
}

absl::Status InterruptedBy(int signal) {
  absl::Status status = absl::CancelledError(absl::StrCat("interrupted by signal ", signal));
  status.SetPayload(kSignalPayload, absl::Cord(absl::StrCat(signal)));
  return status;
}

int InterruptingSignal(const absl::Status& status) {
  int signal = 0;
  const auto payload = status.GetPayload(kSignalPayload);
  if (payload.has_value() && !absl::SimpleAtoi(std::string(*payload), &signal)) return 0;
  return signal;
}

void EndWorkload(pid_t group) {
  if (group > 0) kill(-group, SIGKILL);
}

}  // namespace pagewarden
