// SPDX-License-Identifier: Apache-2.0
// Has each check of a group made by a process of its own, this program executed anew as
// `pagewarden secret-check`: no byte of a secret is ever in this process, and what has read
// files and memory that others control is gone after each check.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/secrets/group_check.h"

namespace pagewarden {

struct CheckRunnerOptions {
  std::string program = "/proc/self/exe";
  // A check that says nothing for so long is ended: it waits for a file system of the processes,
  // perhaps, that will not answer.
  absl::Duration silence = absl::Minutes(3);
};

// Of one thread, on whose end its processes end.
class CheckRunner {
 public:
  // `go_on` is asked twenty times a second; false ends the check.
  CheckRunner(CheckRunnerOptions options, std::function<bool()> go_on);

  // Cancelled: by go_on. FailedPrecondition: no memory can be locked for secrets, and why.
  // Others: the check failed, and how.
  absl::StatusOr<GroupResult> Run(const GroupRequest& request, const MayLook& may_look);

 private:
  void End(pid_t pid);

  const CheckRunnerOptions options_;
  const std::function<bool()> go_on_;
  std::vector<pid_t> stuck_;  // killed, and not yet dead
};

}  // namespace pagewarden
