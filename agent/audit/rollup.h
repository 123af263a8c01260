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

// Fills `subtree` from `own` of the row and of all rows below it; unevictable bytes and
// the peak, which are no sums, stay empty. Parents that have no row are passed over.
void RollUp(std::map<std::string, CgroupRow>& cgroups);

}  // namespace pagewarden
