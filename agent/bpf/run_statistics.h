// SPDX-License-Identifier: Apache-2.0
// The kernel's own count of how often BPF programs run, and for how long
// (bpf(2), BPF_ENABLE_STATS; since 5.8). Without it HookReport.runs stays 0.
#pragma once

#include "absl/status/statusor.h"
#include "agent/base/unique_fd.h"

namespace pagewarden {

class RunStatistics {
 public:
  // Counts while the result lives, for all BPF programs of the machine: two reads of
  // the clock a run. PermissionDenied: needs CAP_SYS_ADMIN.
  static absl::StatusOr<RunStatistics> Enable();

 private:
  explicit RunStatistics(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace pagewarden
