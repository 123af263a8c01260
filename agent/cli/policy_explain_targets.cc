// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/policy_explain_targets.h"

#include <cstdlib>
#include <set>

#include "absl/strings/str_cat.h"
#include "agent/units/unit_start.h"

namespace pagewarden {
namespace {

absl::StatusOr<Target> FindExe(const std::string& exe) {
  const absl::StatusOr<Program> program = FindProgram(exe, getenv("PATH"));
  if (!program.ok()) return program.status();
  Target target{*program, 0, {}};
  target.facts.executable = program->executable;
  return target;
}

Target OfProcess(const LockingProcess& process) {
  const std::string& exe = process.facts.executable;
  return {Program{exe, exe, false}, process.pid, process.facts};
}

absl::StatusOr<Target> FindPid(pid_t pid, const Host& host) {
  for (const LockingProcess& process : host.processes) {
    if (process.pid == pid && !process.facts.executable.empty()) return OfProcess(process);
  }
  return absl::NotFoundError(
      absl::StrCat("process ", pid, ": no such process, or its program cannot be read"));
}

// One process of each program in the unit, or what its unit file would start.
absl::StatusOr<std::vector<Target>> FindUnit(const std::string& unit, const Host& host) {
  std::vector<Target> targets;
  std::set<std::string> seen;
  for (const LockingProcess& process : OfUnit(host.processes, unit)) {
    const std::string& exe = process.facts.executable;
    if (!exe.empty() && seen.insert(exe).second) targets.push_back(OfProcess(process));
  }
  if (!targets.empty()) return targets;
  const absl::StatusOr<UnitStart> file = ReadUnitStart(unit);
  if (!file.ok()) return file.status();
  const absl::StatusOr<Program> program = FindProgram(file->executable, getenv("PATH"));
  if (!program.ok()) return program.status();
  Target target{*program, 0, {program->executable, file->cgroup, {}}};
  targets.push_back(target);
  return targets;
}

}  // namespace

absl::StatusOr<std::vector<Target>> FindTargets(const TargetOptions& options, Host& host) {
  if (options.pid == 0 && options.unit.empty()) {
    const absl::StatusOr<Target> target = FindExe(options.exe);
    if (!target.ok()) return target.status();
    return std::vector<Target>{*target};
  }
  const absl::StatusOr<CgroupHierarchy> hierarchy = CgroupHierarchy::Find();
  if (!hierarchy.ok()) return hierarchy.status();
  host.processes = ReadLockingProcesses(*hierarchy, PodTable::Read());
  if (!options.unit.empty()) return FindUnit(options.unit, host);
  const absl::StatusOr<Target> target = FindPid(options.pid, host);
  if (!target.ok()) return target.status();
  return std::vector<Target>{*target};
}

}  // namespace pagewarden
