// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/lint.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/policy/overlap.h"
#include "agent/policy/quantity.h"

namespace pagewarden {
namespace {

void LintOverlaps(const std::vector<AllocationPolicy>& policies, Diagnostics& diagnostics) {
  for (const AllocationPolicy& loser : policies) {
    for (const AllocationPolicy& winner : policies) {
      if (winner.spec.priority != loser.spec.priority || !ComesBefore(winner, loser) ||
          !SelectorsOverlap(winner.spec.selector, loser.spec.selector))
        continue;
      diagnostics.Add(loser.metadata.at, PolicyError::kOverlap,
                      absl::StrCat("programs may be selected by this and by policy ",
                                   Quoted(winner.metadata.name), ", at ",
                                   winner.metadata.at.ToString(), ", with the same priority ",
                                   loser.spec.priority, ": that one wins, by its name"),
                      "give the one that should win a higher priority");
    }
  }
}

void LintExceptions(const std::vector<Exception>& exceptions, const ProcessSelector& selector,
                    absl::CivilDay today, PolicyError useless, Diagnostics& diagnostics) {
  for (const Exception& exception : exceptions) {
    if (exception.expires < today) {
      diagnostics.Add(exception.at, PolicyError::kExpired,
                      absl::StrCat("this exception expired on ",
                                   absl::FormatCivilTime(exception.expires), " and is ignored"),
                      "remove it, or give it a later day");
    } else if (Covers(exception, selector)) {
      diagnostics.Add(exception.at, useless, "this exception leaves out all that is selected");
    }
  }
}

bool SizesInclude(const SizeRange& outer, const SizeRange& inner) {
  return outer.min <= inner.min && inner.max <= outer.max;
}

// Whether the rule takes all that `other` could, by being asked first.
bool Shadows(const Rule& rule, size_t index, const Rule& other, size_t other_index) {
  const bool is_first =
      rule.priority != other.priority ? rule.priority > other.priority : index < other_index;
  return is_first && rule.match.IsAll() && rule.match.threads.empty() &&
         SizesInclude(rule.match.size, other.match.size);
}

void LintRules(const std::vector<Rule>& rules, Diagnostics& diagnostics) {
  for (size_t i = 0; i < rules.size(); ++i) {
    for (size_t j = 0; j < rules.size(); ++j) {
      if (i == j || !Shadows(rules[j], j, rules[i], i)) continue;
      diagnostics.Add(rules[i].at, PolicyError::kNeverApplies,
                      absl::StrCat("this rule can never apply: the rule at ",
                                   rules[j].at.ToString(), " matches every allocation before it"),
                      "put the rule with all: true last");
      break;
    }
  }
}

void LintCapacity(const AllocationPolicy& policy, Diagnostics& diagnostics) {
  const uint64_t locked = LockedAtStart(policy);
  if (locked <= kDefaultMemlockBytes) return;
  const auto largest = std::max_element(
      policy.spec.arenas.begin(), policy.spec.arenas.end(),
      [](const Arena& a, const Arena& b) { return a.capacity_bytes < b.capacity_bytes; });
  diagnostics.Add(largest->at.source == nullptr ? policy.spec.at : largest->at,
                  PolicyError::kAboveDefaultLimit,
                  absl::StrCat(FormatQuantity(locked), " are locked in each process at its start, ",
                               "and RLIMIT_MEMLOCK is ", FormatQuantity(kDefaultMemlockBytes),
                               " where nobody has set it"),
                  absl::StrCat("set LimitMEMLOCK=", (locked + (1 << 20) - 1) >> 20,
                               "M or more for the unit, or lower the capacity"));
}

// A budget with the document that it is in.
struct Known {
  const MemlockBudget* document;
  const Budget* budget;
};

std::vector<Known> ActiveBudgets(const std::vector<MemlockBudget>& documents) {
  std::vector<Known> budgets;
  for (const MemlockBudget& document : documents) {
    if (document.spec.mode == abi::Mode::kDisabled) continue;
    for (const Budget& budget : document.spec.budgets) budgets.push_back({&document, &budget});
  }
  return budgets;
}

bool Lower(const std::optional<uint64_t>& a, const std::optional<uint64_t>& b, bool a_is_first) {
  return a.has_value() && b.has_value() && (*a < *b || (*a == *b && a_is_first));
}

void LintBudget(const Known& known, size_t index, const std::vector<Known>& all,
                Diagnostics& diagnostics) {
  const Budget& budget = *known.budget;
  for (size_t i = 0; i < all.size(); ++i) {
    const Budget& other = *all[i].budget;
    if (i == index || !other.exceptions.empty() || !Covers(other.selector, budget.selector))
      continue;
    const bool by_limit =
        other.scope == budget.scope && Lower(other.limit_bytes, budget.limit_bytes, i < index);
    const bool by_rlimit = !budget.limit_bytes.has_value() &&
                           Lower(other.max_rlimit_bytes, budget.max_rlimit_bytes, i < index);
    if (!by_limit && !by_rlimit) continue;
    diagnostics.Add(budget.at, PolicyError::kNeverBinds,
                    absl::StrCat("this budget can never bind: budget ", Quoted(other.name), ", at ",
                                 other.at.ToString(), ", has a limit that is no higher for all ",
                                 "that this one selects"),
                    "lower this one, or give the other one a narrower selector");
    return;
  }
}

}  // namespace

void LintPolicies(const PolicySet& set, absl::CivilDay today, Diagnostics& diagnostics) {
  LintOverlaps(set.policies, diagnostics);
  for (const AllocationPolicy& policy : set.policies) {
    LintExceptions(policy.spec.exceptions, policy.spec.selector, today, PolicyError::kNeverApplies,
                   diagnostics);
    LintRules(policy.spec.rules, diagnostics);
    LintCapacity(policy, diagnostics);
  }
  const std::vector<Known> budgets = ActiveBudgets(set.budgets);
  for (size_t i = 0; i < budgets.size(); ++i) {
    const Budget& budget = *budgets[i].budget;
    LintExceptions(budget.exceptions, budget.selector, today, PolicyError::kNeverBinds,
                   diagnostics);
    LintBudget(budgets[i], i, budgets, diagnostics);
  }
}

}  // namespace pagewarden
