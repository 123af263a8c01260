// SPDX-License-Identifier: Apache-2.0
#include "agent/explain/live_processes.h"

#include <algorithm>

#include "agent/policy/select.h"

namespace pagewarden {
namespace {

bool IsOf(const BudgetState& state, const BudgetReport& of_process) {
  return std::any_of(of_process.states.begin(), of_process.states.end(),
                     [&](const BudgetState& own) {
                       return own.scope == state.scope && own.subject == state.subject;
                     });
}

}  // namespace

std::vector<LockingProcess> ReadLockingProcesses(const CgroupHierarchy& hierarchy,
                                                 const PodTable& pods) {
  std::vector<LockingProcess> processes;
  const absl::StatusOr<std::vector<pid_t>> pids = ListProcesses();
  if (!pids.ok()) return processes;
  for (const pid_t pid : *pids) {
    const absl::StatusOr<ProcessStatus> status = ReadStatus(pid);
    if (!status.ok() || !status->has_memory) continue;
    LockingProcess process{pid, ReadSurroundings(pid, hierarchy, pods), status->locked_bytes, {}};
    const absl::StatusOr<MemlockLimits> limits = ReadMemlockLimits(pid);
    if (limits.ok()) process.limits = *limits;
    processes.push_back(std::move(process));
  }
  return processes;
}

std::vector<LockingProcess> OfUnit(const std::vector<LockingProcess>& processes,
                                   const std::string& unit) {
  std::vector<LockingProcess> found;
  for (const LockingProcess& process : processes) {
    const std::vector<std::string> units = UnitsOf(process.facts.cgroup.value_or(""));
    if (std::find(units.begin(), units.end(), unit) != units.end()) found.push_back(process);
  }
  return found;
}

BudgetReport BudgetsOf(pid_t pid, const std::vector<MemlockBudget>& documents,
                       const std::vector<LockingProcess>& processes, absl::CivilDay today) {
  const auto self = std::find_if(processes.begin(), processes.end(),
                                 [&](const LockingProcess& p) { return p.pid == pid; });
  if (self == processes.end()) return {};
  const BudgetReport own = EvaluateBudgets(documents, {*self}, today);
  BudgetReport report;
  for (BudgetState& state : EvaluateBudgets(documents, processes, today).states) {
    if (IsOf(state, own)) report.states.push_back(std::move(state));
  }
  report.rlimits = own.rlimits;
  return report;
}

}  // namespace pagewarden
