// SPDX-License-Identifier: Apache-2.0
// What `policy explain` is asked about.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/explain/live_processes.h"
#include "agent/policy/surroundings.h"
#include "agent/run/program.h"

namespace pagewarden {

// One of the three.
struct TargetOptions {
  std::string exe;
  pid_t pid = 0;
  std::string unit;
};

// What is asked about: a program, or a process of it, and where it runs.
struct Target {
  Program program;
  pid_t pid = 0;
  Surroundings facts;
};

// What all targets share.
struct Host {
  HostIdentity facts;
  std::vector<LockingProcess> processes;  // not read for --exe
};

// NotFound: no such program, process or unit. Reads the host's processes, unless a program is
// asked for.
absl::StatusOr<std::vector<Target>> FindTargets(const TargetOptions& options, Host& host);

}  // namespace pagewarden
