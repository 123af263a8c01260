// SPDX-License-Identifier: Apache-2.0
// A pod of Kubernetes under containerd. Pods have no field for ulimits: containers
// inherit the runtime's.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/cgroup/classify.h"
#include "agent/doctor/environment/environment.h"

namespace pagewarden {

bool DetectContainerd(const EnvironmentFacts&, absl::string_view cgroup, Environment& found) {
  const CgroupIdentity identity = ClassifyCgroup(cgroup);
  const bool runtime = absl::StrContains(cgroup, "/cri-containerd-");
  const bool bare = !identity.pod.empty() && !absl::StrContains(cgroup, "/crio-");
  if (identity.container.empty() || (!runtime && !bare)) return false;
  found.kind = EnvironmentKind::kContainerd;
  found.name = identity.container.substr(0, 12);
  return true;
}

std::vector<Fix> ContainerdLimitFixes(const Environment& environment, const LimitGoal& goal) {
  const std::string n = absl::StrCat(goal.bytes);
  std::vector<Fix> fixes = {
      {"on the node, for all its containers; then start the pod again",
       "/etc/systemd/system/containerd.service.d/10-memlock.conf",
       absl::StrCat("[Service]\nLimitMEMLOCK=", n, "\n"),
       {"systemctl daemon-reload", "systemctl restart containerd"}},
      {"or for this container, where the NRI plugin ulimit-adjuster runs: annotation of the pod",
       "pod.yaml",
       absl::StrCat("metadata:\n  annotations:\n    ulimits.noderesource.dev/container.NAME: |\n"
                    "      - {type: RLIMIT_MEMLOCK, soft: ",
                    n, ", hard: ", n, "}\n"),
       {}}};
  if (goal.capability_helps && environment.is_root && !environment.has_own_user_ns) {
    fixes.push_back({"or no limit at all, since it runs as root: by the capability",
                     "pod.yaml",
                     "      securityContext:\n        capabilities: {add: [\"IPC_LOCK\"]}\n",
                     {}});
  }
  return fixes;
}

}  // namespace pagewarden
