// SPDX-License-Identifier: Apache-2.0
// A command that runs while it is watched. All its descendants stay below this
// process: orphans come to it (PR_SET_CHILD_SUBREAPER, prctl(2)).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace pagewarden {

class TracedCommand {
 public:
  // Starts it with stdout on this process's stderr, and in the cgroup of `procs_file`
  // unless that is empty. NotFound, PermissionDenied: it cannot be executed.
  static absl::StatusOr<TracedCommand> Start(const std::vector<std::string>& command,
                                             const std::string& procs_file);

  TracedCommand(TracedCommand&& other) noexcept;
  TracedCommand& operator=(TracedCommand&&) = delete;
  // Ends it, if it still runs: SIGTERM, and SIGKILL two seconds later.
  ~TracedCommand();

  // Reaps what has ended. False: the command itself has.
  bool IsRunning();

  // Whether the process is one of its own, as far as /proc still tells.
  bool IsDescendant(pid_t pid) const;

  pid_t pid() const { return pid_; }
  std::string outcome() const { return outcome_; }  // "exit 1", "SIGSYS"; empty: it runs

 private:
  explicit TracedCommand(pid_t pid) : pid_(pid) {}
  pid_t pid_;
  std::string outcome_;
};

}  // namespace pagewarden
