// SPDX-License-Identifier: Apache-2.0
// Below user@UID.service: services and applications of a user's own systemd, which
// gets its limit from the system's.
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/doctor/environment/environment.h"
#include "agent/doctor/user_names.h"

namespace pagewarden {

bool DetectUserSession(const EnvironmentFacts&, absl::string_view cgroup, Environment& found) {
  for (absl::string_view component : absl::StrSplit(cgroup, '/')) {
    uid_t uid = 0;
    if (!absl::ConsumePrefix(&component, "user@") || !absl::ConsumeSuffix(&component, ".service") ||
        !absl::SimpleAtoi(component, &uid)) {
      continue;
    }
    found.kind = EnvironmentKind::kUserSession;
    found.name = absl::StrCat("user@", uid, ".service");
    found.user = UserName(uid);
    return true;
  }
  return false;
}

std::vector<Fix> UserSessionLimitFixes(const Environment& environment, const LimitGoal& goal) {
  Environment manager = environment;
  manager.name = "user@.service";
  Fix fix = UnitDropIn(manager, "50-memlock.conf", absl::StrCat("LimitMEMLOCK=", goal.bytes, "\n"),
                       "for all users' sessions; the number is in bytes");
  fix.commands = {"systemctl daemon-reload",
                  absl::StrCat("systemctl restart ", environment.name,
                               "   # ends the user's session: log in again")};
  return {fix};
}

}  // namespace pagewarden
