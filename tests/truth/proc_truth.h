// SPDX-License-Identifier: Apache-2.0
// What /proc says of a process that holds still, by plain readers that share nothing
// with the agent's.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>

namespace truth {

struct ProcTruth {
  uint64_t locked_bytes = 0;   // VmLck of status
  uint64_t pinned_bytes = 0;   // VmPin of status
  uint64_t mapping_bytes = 0;  // of smaps: mappings with the flag "lo"
};

// Of any of its threads that has memory: the first may have ended before the others, and
// then has none. nullopt: the process is gone, or a file is not as proc(5) says.
std::optional<ProcTruth> ReadProcTruth(pid_t pid);

// Of /proc/sysvipc/shm: bytes of each locked segment, by its id. SHM_LOCKED is 02000 of
// the permissions (linux/shm.h).
std::map<int, uint64_t> ReadLockedSegments();

}  // namespace truth
