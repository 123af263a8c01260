// SPDX-License-Identifier: Apache-2.0
// A login session: session-N.scope of systemd-logind. PAM sets its limits
// (limits.conf(5), pam_limits(8)).
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/cgroup/classify.h"
#include "agent/doctor/environment/environment.h"
#include "agent/doctor/user_names.h"

namespace pagewarden {

bool DetectLogin(const EnvironmentFacts& facts, absl::string_view cgroup, Environment& found) {
  const CgroupIdentity identity = ClassifyCgroup(cgroup);
  if (identity.kind != "scope" || !absl::StartsWith(identity.unit, "session-")) return false;
  found.kind = EnvironmentKind::kLogin;
  found.name = identity.unit;
  found.user = UserName(facts.uid);
  return true;
}

std::vector<Fix> LoginLimitFixes(const Environment& environment, const LimitGoal& goal) {
  Fix fix;
  fix.summary = "for the user's new sessions, in KiB; then log in again";
  fix.file = "/etc/security/limits.d/90-memlock.conf";
  fix.content = absl::StrCat(environment.user, " - memlock ", goal.bytes / 1024, "\n");
  std::vector<Fix> fixes = {fix};
  // A shell's own children may do with less than a new session.
  LimitGoal rest = goal;
  rest.capability_helps = goal.capability_helps && environment.is_root;
  for (Fix& plain : PlainLimitFixes(environment, rest)) fixes.push_back(std::move(plain));
  return fixes;
}

}  // namespace pagewarden
