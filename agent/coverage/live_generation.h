// SPDX-License-Identifier: Apache-2.0
// Which policies a process's live image (preload/abi/live_image.h) has in force, read from
// the process itself: what it follows may be its cgroup's, in another mount namespace, or
// a file that another has taken the place of.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace pagewarden {

// Nothing will follow in that image.
inline constexpr uint32_t kNoMoreGenerations = UINT32_MAX;

// Where the process has it mapped; nullopt: it has none, or cannot be read.
std::optional<uint64_t> FindLiveImage(pid_t pid);

// The generation in force there; 0: not to be read.
uint32_t ReadGeneration(pid_t pid, uint64_t address);

}  // namespace pagewarden
