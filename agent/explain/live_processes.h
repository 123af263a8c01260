// SPDX-License-Identifier: Apache-2.0
// The processes of this host, as budgets count them.
#pragma once

#include <string>
#include <vector>

#include "agent/policy/budget.h"

namespace pagewarden {

// By /proc. Processes that end meanwhile, and kernel threads, are left out.
std::vector<LockingProcess> ReadLockingProcesses(const CgroupHierarchy& hierarchy,
                                                 const PodTable& pods);

// Those of the systemd unit, by a component of their cgroup path.
std::vector<LockingProcess> OfUnit(const std::vector<LockingProcess>& processes,
                                   const std::string& unit);

// What `documents` say of the process with this pid: its subjects, with all processes of them.
BudgetReport BudgetsOf(pid_t pid, const std::vector<MemlockBudget>& documents,
                       const std::vector<LockingProcess>& processes, absl::CivilDay today);

}  // namespace pagewarden
