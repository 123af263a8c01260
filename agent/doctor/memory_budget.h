// SPDX-License-Identifier: Apache-2.0
// What the memory cgroups of a process leave it, and whether they let it be swapped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "agent/cgroup/hierarchy.h"

namespace pagewarden {

struct MemoryBudget {
  std::string cgroup;  // the one that leaves the least; empty: none limits it
  std::string limit_file;
  uint64_t limit_bytes = 0;
  uint64_t used_bytes = 0;         // without the page cache, which can be reclaimed
  uint64_t unevictable_bytes = 0;  // of them: cannot be swapped out to make room
  bool swap_off = false;           // no page of the cgroup can be swapped out
  std::string swap_file;           // that decides `swap_off`; empty: the kernel has none
  std::string swap_value;          // to write into it for that
};

struct SwapSwitch {
  bool off = false;  // no page of the cgroup can be swapped out
  std::string file;  // that says so, or could; empty: the kernel has none
};

// Of the cgroup, on v2 also of those above it.
SwapSwitch ReadSwapSwitch(const CgroupHierarchy& hierarchy, absl::string_view cgroup);

// Reads the cgroup and those above it. Files that are missing tell nothing.
MemoryBudget ReadMemoryBudget(const CgroupHierarchy& hierarchy, absl::string_view cgroup);

}  // namespace pagewarden
