// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"

namespace pagewarden {

// Runs `command` in a shell and waits for it; its standard output goes to
// standard error. All that it starts is in the process group `group`, which
// EndWorkload ends. Aborted: it did not exit with status 0. Cancelled: SIGHUP,
// SIGINT or SIGTERM, which the caller has blocked, came meanwhile.
absl::Status RunWorkload(const std::string& command, pid_t& group);

// Cancelled, by a signal to this program; and which.
absl::Status InterruptedBy(int signal);
int InterruptingSignal(const absl::Status& status);

// What `command` left running in the background. 0: there is no group.
void EndWorkload(pid_t group);

}  // namespace pagewarden
