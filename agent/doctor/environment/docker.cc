// SPDX-License-Identifier: Apache-2.0
// A container of Docker (docker-run(1), daemon.json). Its 14 default capabilities do
// not include CAP_IPC_LOCK.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/cgroup/classify.h"
#include "agent/doctor/environment/environment.h"

namespace pagewarden {

bool DetectDocker(const EnvironmentFacts& facts, absl::string_view cgroup, Environment& found) {
  const CgroupIdentity identity = ClassifyCgroup(cgroup);
  const bool by_path =
      !identity.container.empty() && identity.pod.empty() &&
      (absl::StrContains(cgroup, "/docker-") || absl::StrContains(cgroup, "/docker/"));
  if (!by_path && !facts.has_dockerenv) return false;
  found.kind = EnvironmentKind::kDocker;
  if (by_path) found.name = identity.container.substr(0, 12);
  return true;
}

std::vector<Fix> DockerLimitFixes(const Environment& environment, const LimitGoal& goal) {
  const std::string n = absl::StrCat(goal.bytes);
  std::vector<Fix> fixes = {
      {"start the container with the limit, in bytes",
       "",
       "",
       {absl::StrCat("docker run --ulimit memlock=", n, ":", n, " …")}},
      {"or in its compose file",
       "compose.yaml",
       absl::StrCat("    ulimits:\n      memlock: {soft: ", n, ", hard: ", n, "}\n"),
       {}},
      {"or for all containers",
       "/etc/docker/daemon.json",
       absl::StrCat("{\"default-ulimits\": {\"memlock\": {\"Name\": \"memlock\", \"Soft\": ", n,
                    ", \"Hard\": ", n, "}}}\n"),
       {"systemctl restart docker"}}};
  if (goal.capability_helps && environment.is_root && !environment.has_own_user_ns) {
    fixes.push_back({"or no limit at all, since it runs as root: by the capability",
                     "",
                     "",
                     {"docker run --cap-add=IPC_LOCK …"}});
  }
  return fixes;
}

}  // namespace pagewarden
