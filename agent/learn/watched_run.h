// SPDX-License-Identifier: Apache-2.0
// One run of the program under a policy, with a recorder behind the shim: start,
// workload, search, end.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/learn/evidence.h"
#include "agent/policy/model.h"
#include "agent/proof/needles.h"
#include "agent/proof/verify.h"
#include "agent/run/locations.h"
#include "recorder/recording.h"

namespace pagewarden {

struct WatchedProgram {
  std::vector<std::string> command;
  std::string workload;  // for the shell; empty: none
  absl::Duration settle = absl::Seconds(2);
  Locations locations;
};

// Allocations, with those that a process has from its parent's time.
struct AllocationCount {
  uint64_t moved = 0;   // fenced by the shim
  uint64_t passed = 0;  // all others

  double MovedShare() const;
};

// Of the processes that lived when they were searched.
struct RunFigures {
  AllocationCount all;            // from the start
  AllocationCount in_workload;    // without what each did, or its parents, before the workload
  uint64_t peak_arena_bytes = 0;  // of the process that needed most
  std::map<std::string, uint64_t> fenced_by_rule;
  std::vector<std::string> binaries;   // their executables
  std::vector<std::string> uncovered;  // "process 12 (sh): the shim is not loaded"
};

struct WatchedRun {
  VerifyResult result;
  RunFigures figures;
  // In mode kRecord:
  Evidence evidence;
  std::vector<recording::Stack> stacks;
  std::vector<recording::Module> modules;
  uint64_t allocations = 0;  // of all processes, those that ended too, but for fenced ones
};

// NotFound, PermissionDenied: the program cannot be started. FailedPrecondition:
// it ended before it could be searched. Aborted: the workload failed. Cancelled:
// this program was told to end.
absl::StatusOr<WatchedRun> RunWatched(const WatchedProgram& program,
                                      const std::vector<AllocationPolicy>& policies,
                                      const NeedleSet& needles, recording::Mode mode);

}  // namespace pagewarden
