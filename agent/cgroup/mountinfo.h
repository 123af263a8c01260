// SPDX-License-Identifier: Apache-2.0
// The cgroup mounts of /proc/self/mountinfo (proc(5)).
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pagewarden {

struct CgroupMount {
  bool v2 = false;
  bool memory = false;      // v1: the memory controller's hierarchy
  std::string root;         // the cgroup at the mount point, "/" unless bind-mounted
  std::string mount_point;  // unescaped
};

// Lines of other file systems, and lines not of the documented form, are left out.
std::vector<CgroupMount> ParseCgroupMounts(absl::string_view mountinfo);

}  // namespace pagewarden
