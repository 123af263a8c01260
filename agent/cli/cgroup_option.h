// SPDX-License-Identifier: Apache-2.0
// The value of a --cgroup option.
#pragma once

#include <string>

#include "agent/cgroup/hierarchy.h"

namespace pagewarden {

// Makes a path of what people paste: "/a/b", "a/b", "a/b/", "<mount point>/a/b". Returns
// what is wrong, as "--cgroup a : why"; empty: nothing. An empty value stays.
std::string NormalizeCgroup(const CgroupHierarchy* hierarchy, std::string& cgroup);

}  // namespace pagewarden
