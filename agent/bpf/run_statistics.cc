// SPDX-License-Identifier: Apache-2.0
#include "agent/bpf/run_statistics.h"

#include <bpf/bpf.h>

#include <cerrno>

#include "absl/status/status.h"

namespace pagewarden {

absl::StatusOr<RunStatistics> RunStatistics::Enable() {
  UniqueFd fd(bpf_enable_stats(BPF_STATS_RUN_TIME));
  if (!fd.ok()) return absl::ErrnoToStatus(errno, "counting the runs of BPF programs");
  return RunStatistics(std::move(fd));
}

}  // namespace pagewarden
