// SPDX-License-Identifier: Apache-2.0
// How often the kernel has killed in a cgroup for want of memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/cgroup/hierarchy.h"

namespace pagewarden {

// Of the cgroup itself since it was made: `oom_kill` of memory.events.local (v2; of
// memory.events before 5.2, with the cgroups below) or of memory.oom_control (v1, since
// 4.13). nullopt: no such figure.
std::optional<uint64_t> ReadOomKills(const CgroupHierarchy& hierarchy, const std::string& path);

// Inode of the cgroup's directory; 0: it is gone.
uint64_t CgroupInode(const CgroupHierarchy& hierarchy, const std::string& path);

}  // namespace pagewarden
