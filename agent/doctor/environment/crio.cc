// SPDX-License-Identifier: Apache-2.0
// A pod of Kubernetes under CRI-O (crio.conf(5)).
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/cgroup/classify.h"
#include "agent/doctor/environment/environment.h"

namespace pagewarden {

bool DetectCrio(const EnvironmentFacts&, absl::string_view cgroup, Environment& found) {
  const CgroupIdentity identity = ClassifyCgroup(cgroup);
  if (identity.container.empty() || !absl::StrContains(cgroup, "/crio-")) return false;
  found.kind = EnvironmentKind::kCrio;
  found.name = identity.container.substr(0, 12);
  return true;
}

std::vector<Fix> CrioLimitFixes(const Environment& environment, const LimitGoal& goal) {
  std::vector<Fix> fixes = {{"on the node, for all its containers; then start the pod again",
                             "/etc/crio/crio.conf.d/10-memlock.conf",
                             absl::StrCat("[crio.runtime]\ndefault_ulimits = [\"memlock=",
                                          goal.bytes, ":", goal.bytes, "\"]\n"),
                             {"systemctl restart crio"}}};
  if (goal.capability_helps && environment.is_root && !environment.has_own_user_ns) {
    fixes.push_back(
        {"or no limit at all, since it runs as root: by the capability (OpenShift: "
         "with an SCC that allows it)",
         "pod.yaml",
         "      securityContext:\n        capabilities: {add: [\"IPC_LOCK\"]}\n",
         {}});
  }
  return fixes;
}

}  // namespace pagewarden
