// SPDX-License-Identifier: Apache-2.0
// Sums along the cgroup tree: each process once in its own cgroup, and once in each above.
#pragma once

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "agent/audit/report.h"

namespace pagewarden {

// Adds a row for each cgroup between those that are there and `top`, which gets one too.
// Without processes of their own they lock nothing themselves.
void AddParents(absl::string_view top, std::map<std::string, CgroupRow>& cgroups);

// Fills `subtree` from `own` of the row and of all rows below it. Its peak is the highest of
// theirs, which it was at least; unevictable bytes stay empty. What has no row for its
// parent is in no sum above.
void RollUp(std::map<std::string, CgroupRow>& cgroups);

}  // namespace pagewarden
