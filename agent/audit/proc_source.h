// SPDX-License-Identifier: Apache-2.0
// One process from /proc: needs no privilege (status, limits and cgroup are
// world-readable unless /proc is mounted with hidepid).
#pragma once

#include <sys/types.h>

#include <optional>

#include "absl/status/statusor.h"
#include "agent/audit/process_row.h"
#include "agent/cgroup/hierarchy.h"

namespace pagewarden {

// nullopt: the process is gone, or has no memory of its own (kernel thread,
// zombie). `hierarchy` may be null: the cgroup is then "/". Fills everything but
// exe, drift and shim (details.h).
absl::StatusOr<std::optional<ProcessRow>> ReadProcessRow(pid_t pid,
                                                         const CgroupHierarchy* hierarchy);

}  // namespace pagewarden
