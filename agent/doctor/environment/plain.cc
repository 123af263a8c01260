// SPDX-License-Identifier: Apache-2.0
// Nobody known started it: a shell, a script, a supervisor of its own.
#include "absl/strings/str_cat.h"
#include "agent/doctor/environment/environment.h"

namespace pagewarden {
namespace {

Fix ForRunning(const Environment& environment, const LimitGoal& goal) {
  return {environment.has_own_user_ns
              ? "for the running process, as root outside of its user namespace"
              : "for the running process, as root",
          "",
          "",
          {absl::StrCat("prlimit --pid ", *goal.pid, " --memlock=", goal.bytes, ":", goal.bytes)}};
}

// ulimit counts KiB; the goal is a multiple of the page size.
Fix ForNamespace(const LimitGoal& goal) {
  return {"in the shell that makes the user namespace, before it does, as root",
          "",
          "",
          {absl::StrCat("ulimit -l ", goal.bytes / 1024)}};
}

Fix ForCommand(const LimitGoal& goal) {
  return {"start it with the limit, as root",
          "",
          "",
          {absl::StrCat("prlimit --memlock=", goal.bytes, ":", goal.bytes, " -- ", goal.command)}};
}

Fix WithCapability(const Environment& environment, const LimitGoal& goal) {
  return {"or no limit at all, by the ambient capability, as root",
          "",
          "",
          {WithAmbientIpcLock(environment, goal.command)}};
}

}  // namespace

std::string WithAmbientIpcLock(const Environment& environment, const std::string& command) {
  const std::string user = environment.uid == 0
                               ? ""
                               : absl::StrCat(" --reuid=", environment.uid,
                                              " --regid=", environment.gid, " --clear-groups");
  return absl::StrCat("setpriv", user, " --inh-caps=+ipc_lock --ambient-caps=+ipc_lock -- ",
                      command);
}

std::vector<Fix> PlainLimitFixes(const Environment& environment, const LimitGoal& goal) {
  std::vector<Fix> fixes;
  if (goal.pid) fixes.push_back(ForRunning(environment, goal));
  if (goal.command.empty()) return fixes;
  if (environment.has_own_user_ns) {
    fixes.push_back(ForNamespace(goal));
    return fixes;
  }
  fixes.push_back(ForCommand(goal));
  if (goal.capability_helps) fixes.push_back(WithCapability(environment, goal));
  return fixes;
}

}  // namespace pagewarden
