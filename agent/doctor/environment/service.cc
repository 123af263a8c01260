// SPDX-License-Identifier: Apache-2.0
// A service of the system's systemd (systemd.exec(5), systemd.unit(5)).
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/cgroup/classify.h"
#include "agent/doctor/environment/environment.h"

namespace pagewarden {

bool DetectService(const EnvironmentFacts&, absl::string_view cgroup, Environment& found) {
  const CgroupIdentity identity = ClassifyCgroup(cgroup);
  if (identity.kind != "service") {
    // Delegated units have cgroups of their own below the service's.
    const size_t end = cgroup.rfind(".service/");
    if (end == absl::string_view::npos) return false;
    return DetectService({}, cgroup.substr(0, end + 8), found);
  }
  found.kind = EnvironmentKind::kService;
  found.name = identity.unit;
  return true;
}

Fix UnitDropIn(const Environment& environment, const std::string& file_name,
               const std::string& settings, const std::string& summary) {
  Fix fix;
  fix.summary = summary;
  fix.file = absl::StrCat(environment.image_root, "/etc/systemd/system/", environment.name, ".d/",
                          file_name);
  fix.content = absl::StrCat("[Service]\n", settings);
  if (!environment.image_root.empty()) return fix;
  fix.commands = {"systemctl daemon-reload", absl::StrCat("systemctl restart ", environment.name)};
  return fix;
}

std::vector<Fix> ServiceLimitFixes(const Environment& environment, const LimitGoal& goal) {
  std::vector<Fix> fixes = {
      UnitDropIn(environment, "50-memlock.conf", absl::StrCat("LimitMEMLOCK=", goal.bytes, "\n"),
                 absl::StrCat("for the unit (systemctl edit ", environment.name,
                              "); the number is in bytes"))};
  if (goal.capability_helps && !environment.has_own_user_ns) {
    // A bounding set without it would make the start fail (status=218/CAPABILITIES).
    fixes.push_back(UnitDropIn(
        environment, "50-memlock.conf",
        absl::StrCat(
            environment.boundingset_without_ipc_lock ? "CapabilityBoundingSet=CAP_IPC_LOCK\n" : "",
            "AmbientCapabilities=CAP_IPC_LOCK\n"),
        "or no limit at all, by the ambient capability"));
  }
  return fixes;
}

}  // namespace pagewarden
