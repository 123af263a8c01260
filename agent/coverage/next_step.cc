// SPDX-License-Identifier: Apache-2.0
#include "agent/coverage/next_step.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "agent/audit/text.h"
#include "agent/coverage/reasons.h"
#include "agent/doctor/case.h"

namespace pagewarden {
namespace {

std::string Doctor(const ProcessRow& row) {
  return absl::StrCat("`pagewarden doctor --pid ", row.pid, "`");
}

// How it is started again as it is, by what started it.
std::string Restart(const ProcessRow& row, const Environment& environment) {
  switch (environment.kind) {
    case EnvironmentKind::kService:
      return absl::StrCat("restart it (`systemctl restart ", environment.name, "`)");
    case EnvironmentKind::kDocker:
      return absl::StrCat("restart its container (`docker restart ", environment.name, "`)");
    case EnvironmentKind::kPodman:
      return absl::StrCat("restart its container (`podman restart ", environment.name, "`)");
    case EnvironmentKind::kLxc:
      return absl::StrCat("restart its container (`lxc restart ", environment.name, "`)");
    case EnvironmentKind::kContainerd:
    case EnvironmentKind::kCrio:
      return "delete its pod, so that it is made again";
    default:
      return absl::StrCat("start ", Printable(row.exe.empty() ? row.comm : row.exe), " again");
  }
}

// How it is started with the shim.
std::string StartWithShim(const ProcessRow& row, const Environment& environment, bool prepared) {
  switch (environment.kind) {
    case EnvironmentKind::kService:
      if (prepared) return Restart(row, environment);
      return absl::StrCat(
          "put `pagewarden run --` before the command of its ExecStart= (`systemctl"
          " edit ",
          environment.name, "`) and ", Restart(row, environment));
    case EnvironmentKind::kDocker:
    case EnvironmentKind::kPodman:
    case EnvironmentKind::kContainerd:
    case EnvironmentKind::kCrio:
    case EnvironmentKind::kLxc:
      return "mount the shim into its container, set LD_PRELOAD there, and start it again";
    default:
      return absl::StrCat("start it again as `pagewarden run -- ",
                          row.exe.empty() ? "COMMAND" : Printable(row.exe), " …`");
  }
}

// A fix of the doctor's in one line.
std::string OneLineOf(const Fix& fix) {
  std::vector<std::string> parts;
  if (!fix.file.empty()) {
    const std::string lines =
        absl::StrReplaceAll(absl::StripAsciiWhitespace(fix.content), {{"\n", "\\n"}});
    parts.push_back(absl::StrCat("put `", lines, "` into ", fix.file));
  }
  if (!fix.commands.empty()) {
    parts.push_back(absl::StrCat("run `", absl::StrJoin(fix.commands, "; "), "`"));
  }
  return parts.empty() ? fix.summary : absl::StrJoin(parts, ", then ");
}

std::string RaiseLimit(const ProcessRow& row, const AllocationPolicy& policy,
                       const Environment& environment) {
  LimitGoal goal;
  goal.bytes = RecommendedLimit(0, LockedAtStart(policy));
  goal.command = absl::StrCat("pagewarden run -- ", Printable(row.exe), " …");
  const std::vector<Fix> fixes = LimitFixes(environment, goal);
  const std::string step = fixes.empty() ? "" : OneLineOf(fixes.front());
  const std::string raise = absl::StrCat("raise its RLIMIT_MEMLOCK to ", goal.bytes, " bytes");
  return step.empty() ? raise : absl::StrCat(raise, ": ", step);
}

std::string Step(const Assessment& assessment, const ProcessRow& row,
                 const AllocationPolicy& policy, const Environment& environment, bool prepared) {
  const std::string& reason = assessment.reason;
  if (reason == "started_before" || reason == "not_preloaded" || reason == "other_policy" ||
      reason == "no_policy") {
    return StartWithShim(row, environment, prepared);
  }
  if (reason == "lock_failed" || reason == "partly_locked") {
    return RaiseLimit(row, policy, environment);
  }
  if (reason == "needs_restart" || reason == "mode_differs") return Restart(row, environment);
  const CoverageReason* const known = FindCoverageReason(reason);
  const std::string step = known == nullptr ? Doctor(row) : known->step;
  return absl::StrReplaceAll(step, {{"`pagewarden doctor --pid`", Doctor(row)}});
}

}  // namespace

std::string CoverageText(const Assessment& assessment, const ProcessRow& row,
                         const AllocationPolicy& policy, const Environment& environment,
                         bool prepared) {
  const CoverageReason* const known = FindCoverageReason(assessment.reason);
  std::string cause = assessment.detail;
  if (cause.empty()) {
    cause = known == nullptr ? absl::StrCat("has no fence: ", assessment.reason) : known->meaning;
  }
  const std::string step = Step(assessment, row, policy, environment, prepared);
  return absl::StrCat("it ", cause, "; ", step);
}

}  // namespace pagewarden
