// SPDX-License-Identifier: Apache-2.0
// Budgets for people and for programs.
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>

#include "agent/policy/budget.h"

namespace pagewarden {

// `is_live`: the sums are those of the host, not of one process that may come to run.
void PrintBudgets(const BudgetReport& report, bool is_live, std::ostream& out);
nlohmann::ordered_json BudgetsJson(const BudgetReport& report, bool is_live);

}  // namespace pagewarden
