// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pagewarden {

// Highest value seen of a process's or a cgroup's locked bytes since the watch began.
struct Peak {
  uint64_t bytes = 0;
  bool exact = false;  // every change was seen; false: of those sampled
};

}  // namespace pagewarden
