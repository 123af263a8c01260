// SPDX-License-Identifier: Apache-2.0
// An explanation for people and for programs.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "agent/coverage/coverage.h"
#include "agent/explain/explanation.h"
#include "agent/policy/budget.h"

namespace pagewarden {

struct ExplainReport {
  std::string executable;
  pid_t pid = 0;                         // 0: a file was asked for
  std::string policy;                    // empty: none selects the executable
  std::string where;                     // file:line:column, or empty
  std::string why;                       // that it is this policy
  std::vector<std::string> passed_over;  // other policies that select it
  std::string cgroup;                    // empty: not known
  std::string mode;                      // of the policy in the end
  std::string mode_why;                  // where it is not what the policy says
  bool is_shipped = false;               // the policy: `run` uses it, audit and agent do not
  // Of a process that the policy is to fence, or that has the shim.
  std::optional<CoveredProcess> coverage;
  BudgetReport budgets;              // for this process, or one like it
  std::vector<std::string> modules;  // paths
  std::vector<std::string> problems;
  std::vector<RuleExplanation> rules;
};

// `all`: a row for each part, with its modules; else those of one fate together.
void PrintExplainTable(const ExplainReport& report, bool all, std::ostream& out);
void PrintExplainJson(const ExplainReport& report, std::ostream& out);

// As {"schemaVersion", "reports"}: of a unit, which may run several programs.
void PrintExplainJson(const std::vector<ExplainReport>& reports, std::ostream& out);

}  // namespace pagewarden
