// SPDX-License-Identifier: Apache-2.0
// The fields of MemlockBudget.
#pragma once

#include "agent/policy/budget_model.h"
#include "agent/policy/fields.h"

namespace pagewarden {

extern const Value<BudgetSpec> kBudgetSpec;

// "Slice", "Service", …
const char* ScopeWord(BudgetScope scope);

}  // namespace pagewarden
