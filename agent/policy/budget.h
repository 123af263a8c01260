// SPDX-License-Identifier: Apache-2.0
// Locked memory against budgets.
//
//   const BudgetReport report = EvaluateBudgets(set.budgets, processes, today);
//   for (const BudgetState& state : report.states)
//     if (state.level == BudgetLevel::kOver) …
//
// Pure; thread-safe. Time is processes × budgets.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "agent/policy/model.h"
#include "agent/policy/surroundings.h"
#include "agent/proc/status.h"

namespace pagewarden {

struct LockingProcess {
  pid_t pid = 0;
  Surroundings facts;
  uint64_t locked_bytes = 0;
  std::optional<MemlockLimits> limits;  // nullopt: could not be read
};

enum class BudgetLevel { kWithin, kNear, kOver };

// One budget for one subject. Budgets select different processes, so each has its own sum.
struct BudgetSource {
  std::string policy;  // the MemlockBudget's name
  std::string budget;
  Position at;
  uint64_t limit_bytes = 0;
  int32_t warn_at_percent = 0;
  uint64_t used_bytes = 0;
  size_t processes = 0;
  size_t excepted = 0;  // processes that exceptions leave out
  BudgetLevel level = BudgetLevel::kWithin;
};

struct BudgetState {
  BudgetScope scope = BudgetScope::kProcess;
  std::string subject;                       // a cgroup path, a namespace, an id, or a pid
  std::vector<BudgetSource> sources;         // the lowest limit first: that one binds
  BudgetLevel level = BudgetLevel::kWithin;  // the worst
};

// A process that may lock more than a budget allows it to be allowed.
struct RlimitBreach {
  pid_t pid = 0;
  std::string executable;
  std::string cgroup;
  std::optional<uint64_t> hard_limit;  // nullopt: unlimited
  uint64_t max_bytes = 0;              // the lowest
  std::string policy;
  std::string budget;
  Position at;
};

struct BudgetReport {
  std::vector<BudgetState> states;    // those with a process; by scope, then subject
  std::vector<RlimitBreach> rlimits;  // by pid
};

// Disabled documents and expired exceptions are left out.
BudgetReport EvaluateBudgets(const std::vector<MemlockBudget>& documents,
                             const std::vector<LockingProcess>& processes, absl::CivilDay today);

// What of a process is compared with the budget's limit: of slices that the selector
// names, each; else at most one. Empty: it is in no such thing.
std::vector<std::string> SubjectsOf(const Budget& budget, const LockingProcess& process);

// "within", "near", "over".
const char* LevelWord(BudgetLevel level);

}  // namespace pagewarden
