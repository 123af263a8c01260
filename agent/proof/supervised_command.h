// SPDX-License-Identifier: Apache-2.0
// Runs a command for a while and ends it, with everything it started.
//
//   auto command = SupervisedCommand::Start({"nginx", "-g", "daemon off;"});
//   if (!command.ok()) return command.status();
//   (*command)->Settle(absl::Seconds(2));
//   Look((*command)->Processes());
//   (*command)->Stop();
//
// One at a time: this process becomes a subreaper (prctl(2)), so that daemons
// stay its descendants, reaps all of them, and blocks SIGCHLD, SIGHUP, SIGINT
// and SIGTERM until the object goes.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace pagewarden {

class SupervisedCommand {
 public:
  // The command's standard output goes to this program's standard error.
  // `environment`: "NAME=value" strings; null: this program's own.
  // NotFound and PermissionDenied as execvp(3) says.
  static absl::StatusOr<std::unique_ptr<SupervisedCommand>> Start(
      const std::vector<std::string>& arguments,
      const std::vector<std::string>* environment = nullptr);

  SupervisedCommand(const SupervisedCommand&) = delete;
  SupervisedCommand& operator=(const SupervisedCommand&) = delete;
  ~SupervisedCommand();  // stops it

  // Returns after `time`, or when nothing of the command runs any more. Returns
  // the signal that interrupted this program, or 0.
  int Settle(absl::Duration time);

  absl::StatusOr<std::vector<pid_t>> Processes() const;

  // How the command itself ended ("exited with status 1"), if it did.
  std::optional<std::string> Ending() const;

  // SIGTERM to the command, or, if it is gone, to its descendants; SIGKILL to
  // whatever still runs 5 s later.
  void Stop();

 private:
  SupervisedCommand(pid_t pid, const sigset_t& signals, const sigset_t& previous)
      : pid_(pid), signals_(signals), previous_(previous) {}
  void Reap();
  bool IsGone() const;
  void SignalAll(int signal) const;

  pid_t pid_;
  sigset_t signals_;
  sigset_t previous_;
  std::optional<int> wait_status_;
};

}  // namespace pagewarden
