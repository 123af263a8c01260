// SPDX-License-Identifier: Apache-2.0
// Refused locks explained as they happen: of running processes, or of a command that
// is run for it.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/doctor/doctor.h"

namespace pagewarden {

struct WatchRequest {
  std::vector<pid_t> pids;                             // those to watch; or
  std::vector<std::string> command;                    // what to run; its output goes to stderr
  absl::Duration duration = absl::InfiniteDuration();  // of a command: then it is ended
  bool trace_syscalls = false;                     // see every result, at a cost (docs/kernel.md)
  std::function<void(const Finding&)> on_finding;  // called as it happens; may be empty
};

// Adds what was found, and by which hooks, to `report`. Where no hook loads, says so in
// `report.unreadable`. NotFound, PermissionDenied: the command cannot be run.
absl::Status WatchAndExplain(const WatchRequest& request, const DoctorOptions& options,
                             DoctorReport& report);

}  // namespace pagewarden
