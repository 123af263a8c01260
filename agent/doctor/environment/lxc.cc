// SPDX-License-Identifier: Apache-2.0
// A container of LXC or LXD (lxc.container.conf(5)). LXD hands limits.kernel.memlock
// on as it is: bytes, though `ulimit -l` inside shows KiB.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/cgroup/classify.h"
#include "agent/doctor/environment/environment.h"

namespace pagewarden {

bool DetectLxc(const EnvironmentFacts& facts, absl::string_view cgroup, Environment& found) {
  const bool by_path = absl::StrContains(cgroup, "/lxc.payload.");
  if (!by_path && facts.container_variable != "lxc") return false;
  found.kind = EnvironmentKind::kLxc;
  if (by_path) found.name = ClassifyCgroup(cgroup).container;
  return true;
}

std::vector<Fix> LxcLimitFixes(const Environment& environment, const LimitGoal& goal) {
  const std::string name = environment.name.empty() ? "CONTAINER" : environment.name;
  return {{"LXD: for the container, in bytes",
           "",
           "",
           {absl::StrCat("lxc config set ", name, " limits.kernel.memlock ", goal.bytes),
            absl::StrCat("lxc restart ", name)}},
          {"LXC: in its configuration, in bytes",
           absl::StrCat("/var/lib/lxc/", name, "/config"),
           absl::StrCat("lxc.prlimit.memlock = ", goal.bytes, "\n"),
           {absl::StrCat("lxc-stop ", name), absl::StrCat("lxc-start ", name)}}};
}

}  // namespace pagewarden
