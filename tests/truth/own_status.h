// SPDX-License-Identifier: Apache-2.0
// The figures of /proc/PID/status by a reader of its own: nothing of the agent's, no
// memory from the heap.
#pragma once

#include <cstdint>

namespace truth {

struct StatusFigures {
  uint64_t size_bytes = 0;    // VmSize
  uint64_t locked_bytes = 0;  // VmLck
  uint64_t pinned_bytes = 0;  // VmPin
};

// False: the file cannot be read, or a line is missing.
bool ReadStatusFigures(const char* path, StatusFigures& figures);

}  // namespace truth
