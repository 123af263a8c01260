// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/budget_schema.h"

#include "agent/policy/modes.h"
#include "agent/policy/names.h"
#include "agent/policy/selector_schema.h"

namespace pagewarden {
namespace {

constexpr Word<BudgetScope> kScopes[] = {
    {"Slice", BudgetScope::kSlice},         {"Service", BudgetScope::kService},
    {"Namespace", BudgetScope::kNamespace}, {"Pod", BudgetScope::kPod},
    {"Container", BudgetScope::kContainer}, {"Process", BudgetScope::kProcess}};

// The kernel has no controller that limits the locked memory of a cgroup.
void ReadBudgetMode(const YamlNode& node, abi::Mode& mode, Diagnostics& diagnostics) {
  abi::Mode read = mode;
  ReadWord<kModes>(node, read, diagnostics);
  if (read != abi::Mode::kEnforce) {
    mode = read;
    return;
  }
  diagnostics.Add(node.at, PolicyError::kReserved,
                  "Enforce is reserved: no kernel limits the locked memory of a cgroup",
                  "write Audit, which reports breaches; LimitMEMLOCK= limits each process");
}

ValueType DescribeBudgetMode() {
  ValueType type = DescribeWords({"Disabled", "Audit"});
  type.label += " (`Enforce` is reserved)";
  return type;
}
constexpr Value<abi::Mode> kBudgetMode = {ReadBudgetMode, DescribeBudgetMode};

constexpr Field<Budget> kBudgetFields[] = {
    Required<&Budget::name, kName>("name", "unique within the document"),
    Optional<&Budget::selector, kObject<ProcessSelector, kSelectorFields<ProcessSelector>>>(
        "selector", Absent("every process"), "which processes count: those that fit every key"),
    Required<&Budget::scope, kWord<BudgetScope, kScopes>>(
        "scope",
        "what is summed up and compared with `limit`: each slice that `matchSlices` names (without "
        "it, the innermost one) with all below it, each service or scope, each Kubernetes "
        "namespace, each pod, each container, or each process alone. Processes outside of such a "
        "thing do not count"),
    Optional<&Budget::limit_bytes, kMaybe<uint64_t, kQuantity>>(
        "limit", Absent("no bound"),
        "locked bytes (`VmLck`); of several budgets for one thing, the lowest binds"),
    Optional<&Budget::warn_at_percent, kMaybe<int32_t, kIntegerIn<1, 99>>>(
        "warnAtPercent", Default("80"), "of `limit`, from where on it is reported as near"),
    Optional<&Budget::max_rlimit_bytes, kMaybe<uint64_t, kQuantity>>(
        "maxRlimit", Absent("no bound"),
        "of the hard `RLIMIT_MEMLOCK` of each selected process, whatever the scope; a higher or "
        "unlimited one is reported"),
    Optional<&Budget::exceptions, kListOf<kException>>(
        "exceptions", Absent("none"), "processes that do not count, with the reason"),
};

void ReadBudget(const YamlNode& node, Budget& budget, Diagnostics& diagnostics) {
  const size_t errors = diagnostics.count();
  ReadObject<kBudgetFields>(node, budget, diagnostics);
  if (diagnostics.count() != errors) return;
  if (!budget.limit_bytes.has_value() && !budget.max_rlimit_bytes.has_value()) {
    diagnostics.Add(node.at, PolicyError::kMissing, "the budget limits nothing",
                    "add limit or maxRlimit");
  } else if (budget.warn_at_percent.has_value() && !budget.limit_bytes.has_value()) {
    diagnostics.Add(FindValue(node, "warnAtPercent")->at, PolicyError::kConflict,
                    "warnAtPercent is of a limit, and there is none", "add limit");
  }
}

ValueType DescribeBudget() {
  ValueType type = DescribeObject<kBudgetFields>();
  type.some_of = {"limit", "maxRlimit"};
  return type;
}
constexpr Value<Budget> kBudget = {ReadBudget, DescribeBudget};

constexpr size_t kMaxBudgets = 256;

constexpr Field<BudgetSpec> kBudgetSpecFields[] = {
    Optional<&BudgetSpec::mode, kBudgetMode>(
        "mode", Default("Audit"),
        "`Audit` reports. `Enforce` is an error: no kernel has a limit of locked memory for a "
        "cgroup, and what nobody can enforce must not be promised"),
    Required<&BudgetSpec::budgets, kListOf<kBudget, kMaxBudgets>>("budgets", "each on its own"),
};

}  // namespace

const Value<BudgetSpec> kBudgetSpec = kObject<BudgetSpec, kBudgetSpecFields>;

const char* ScopeWord(BudgetScope scope) {
  for (const Word<BudgetScope>& word : kScopes) {
    if (word.value == scope) return word.text;
  }
  return "";
}

}  // namespace pagewarden
