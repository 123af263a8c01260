// SPDX-License-Identifier: Apache-2.0
// The constants that most of our BPF programs are given before they are loaded.
#pragma once

#include <cstdint>
#include <optional>

#include "agent/cgroup/hierarchy.h"

namespace pagewarden {

// `hierarchy` of bpf/task_cgroup.h: which cgroup ids to read. nullopt: none.
uint32_t HierarchyConstant(std::optional<CgroupVersion> version);

// `agent_pid_ns` of bpf/task_pid.h: inode of this process's pid namespace, by
// which the programs know whose pids to give. 0: /proc does not tell.
uint32_t OwnPidNamespace();

}  // namespace pagewarden
