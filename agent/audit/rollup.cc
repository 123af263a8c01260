// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/rollup.h"

#include <algorithm>
#include <vector>

#include "agent/cgroup/paths.h"

namespace pagewarden {
namespace {

void Add(const CgroupSums& from, CgroupSums& to) {
  to.processes += from.processes;
  to.locked_bytes += from.locked_bytes;
  to.pinned_bytes += from.pinned_bytes;
  to.usage_max_ratio = std::max(to.usage_max_ratio, from.usage_max_ratio);
  if (from.limit_min_bytes) {
    to.limit_min_bytes =
        std::min(*from.limit_min_bytes, to.limit_min_bytes.value_or(*from.limit_min_bytes));
  }
  if (from.recommendation.limit_bytes > to.recommendation.limit_bytes) {
    to.recommendation = from.recommendation;
  }
  to.denials.Add(from.denials);
  to.peak.bytes = std::max(to.peak.bytes, from.peak.bytes);
}

}  // namespace

void AddParents(absl::string_view top, std::map<std::string, CgroupRow>& cgroups) {
  std::vector<std::string> parents = {std::string(top)};
  for (const auto& [path, row] : cgroups) {
    absl::string_view parent = ParentCgroup(path);
    while (!parent.empty() && IsAtOrBelowCgroup(parent, top) &&
           cgroups.count(std::string(parent)) == 0) {
      parents.emplace_back(parent);
      parent = ParentCgroup(parent);
    }
  }
  for (const std::string& path : parents) cgroups[path];
}

void RollUp(std::map<std::string, CgroupRow>& cgroups) {
  for (auto& [path, row] : cgroups) Add(row.own, row.subtree);
  // A path sorts after those it begins with: backwards, children come before parents.
  for (auto row = cgroups.rbegin(); row != cgroups.rend(); ++row) {
    const auto parent = cgroups.find(std::string(ParentCgroup(row->first)));
    if (parent != cgroups.end()) Add(row->second.subtree, parent->second.subtree);
  }
}

}  // namespace pagewarden
