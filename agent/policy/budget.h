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

#include <map>
#include <optional>
#include <string>
#include <utility>
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

// What one budget makes of all processes with the same surroundings.
struct BudgetFit {
  const MemlockBudget* document = nullptr;
  const Budget* budget = nullptr;
  bool excepted = false;
};

// Budgets that the surroundings fit, in the order of the documents, into which they point.
// Disabled documents are left out, and exceptions that have expired.
std::vector<BudgetFit> BudgetsFor(const std::vector<MemlockBudget>& documents,
                                  const Surroundings& facts, absl::CivilDay today);

// Adds up, when what fits is known already. Documents and fits outlive it.
class BudgetSums {
 public:
  // `processes` of the same subject, which lock `locked_bytes` together.
  void Add(const BudgetFit& fit, const std::string& subject, size_t processes,
           uint64_t locked_bytes);

  // A process whose hard limit is above the budget's maxRlimit, or not.
  void CheckRlimit(const BudgetFit& fit, const LockingProcess& process);

  // In the order of EvaluateBudgets.
  BudgetReport Finish() &&;

 private:
  // Budgets in the order of their documents, so that what is equal keeps it.
  using BudgetKey = std::pair<const MemlockBudget*, const Budget*>;
  std::map<std::pair<BudgetKey, std::string>, BudgetSource> sources_;
  std::map<pid_t, RlimitBreach> rlimits_;
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
