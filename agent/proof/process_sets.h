// SPDX-License-Identifier: Apache-2.0
// Which processes belong together: by descent, or by cgroup.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace pagewarden {

// The processes that descend from `roots`, without the roots; ascending.
// Orphans belong to whoever adopted them.
absl::StatusOr<std::vector<pid_t>> Descendants(const std::vector<pid_t>& roots);

// The processes in the cgroup at `path` and all below it, ascending. `path` is
// a directory of a cgroup file system, or, as /proc/PID/cgroup prints it,
// relative to a hierarchy's mount point: then every mounted hierarchy that has
// it is asked. NotFound: there is no such cgroup.
absl::StatusOr<std::vector<pid_t>> CgroupProcesses(const std::string& path);

}  // namespace pagewarden
