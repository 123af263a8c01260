// SPDX-License-Identifier: Apache-2.0
// A container of Podman (podman-run(1)). Rootless ones live in a user namespace, and
// get no more than their user has.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/cgroup/classify.h"
#include "agent/doctor/environment/environment.h"
#include "agent/doctor/user_names.h"

namespace pagewarden {

bool DetectPodman(const EnvironmentFacts& facts, absl::string_view cgroup, Environment& found) {
  const CgroupIdentity identity = ClassifyCgroup(cgroup);
  const bool by_path = !identity.container.empty() && absl::StrContains(cgroup, "/libpod-");
  if (!by_path && !facts.has_containerenv) return false;
  found.kind = EnvironmentKind::kPodman;
  if (by_path) found.name = identity.container.substr(0, 12);
  if (!facts.in_initial_user_ns) found.user = UserName(facts.uid);
  return true;
}

std::vector<Fix> PodmanLimitFixes(const Environment& environment, const LimitGoal& goal) {
  std::vector<Fix> fixes;
  if (environment.has_own_user_ns) {
    fixes.push_back({"first the limit of the user that runs Podman, in KiB; then log in again",
                     "/etc/security/limits.d/90-memlock.conf",
                     absl::StrCat(environment.user.empty() ? "USER" : environment.user,
                                  " - memlock ", goal.bytes / 1024, "\n"),
                     {}});
  }
  fixes.push_back(
      {environment.has_own_user_ns ? "then the container's, in bytes"
                                   : "start the container with the limit, in bytes",
       "",
       "",
       {absl::StrCat("podman run --ulimit memlock=", goal.bytes, ":", goal.bytes, " …")}});
  if (goal.capability_helps && environment.is_root && !environment.has_own_user_ns) {
    fixes.push_back({"or no limit at all, since it runs as root: by the capability",
                     "",
                     "",
                     {"podman run --cap-add=IPC_LOCK …"}});
  }
  return fixes;
}

}  // namespace pagewarden
