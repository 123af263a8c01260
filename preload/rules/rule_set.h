// SPDX-License-Identifier: Apache-2.0
// The rules in force: made from a policy once, never changed and never freed, so that a
// thread may go on by those that it began with when others take their place (follow.h).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/base/macros.h"
#include "preload/fence/arena.h"
#include "preload/rules/chains.h"
#include "preload/rules/policy.h"
#include "preload/rules/thread_names.h"

namespace pagewarden {

// One a tag. Those behind the policy's rules stand for the arenas themselves, as
// programs ask for them by name (pagewarden.h).
struct Rule {
  uint64_t min_bytes;  // larger than max_bytes: the rule waits for a restart
  uint64_t max_bytes;
  Arena* arena;
  uint32_t tag;     // index of its books
  uint32_t filter;  // of thread names (thread_names.h), 0: none
};

inline bool IsInForce(const Rule& rule) { return rule.min_bytes <= rule.max_bytes; }

inline bool Takes(const Rule& rule, size_t bytes) {
  return bytes >= rule.min_bytes && bytes <= rule.max_bytes &&
         (PW_LIKELY(rule.filter == 0) || PassesFilter(rule.filter));
}

// What the rules of a form take together.
struct Sizes {
  uint64_t least = UINT64_MAX;
  uint64_t most = 0;

  void Include(const Rule& rule) {
    if (rule.min_bytes < least) least = rule.min_bytes;
    if (rule.max_bytes > most) most = rule.max_bytes;
  }
  bool Have(size_t bytes) const { return bytes >= least && bytes <= most; }
  bool any() const { return least <= most; }
};

// Of the rules that an allocation matches, the first applies.
struct RuleSet {
  const Rule* rules = nullptr;
  uint32_t count = 0;
  uint32_t everywhere = 0;  // the tag of the rules of form `all`
  uint32_t short_way = 0;   // rules before this one are of form `during`
  bool audit_only = false;
  Chains extents;                           // what these tags stand for
  const uint32_t* function_tags = nullptr;  // by slot of the scope library, 0: no rule
  uint32_t functions = 0;
  uint32_t first_site_rule = UINT32_MAX;   // of the forms `callers` and `stack`
  const uint16_t* rule_of_book = nullptr;  // index + 1 by Rule::tag; 0: none of these
  uint32_t books = 0;
  uint32_t waiting = 0;  // parts of the policy that need a restart
  Sizes callers, signatures;
  PolicyImage image;
  const abi::PolicyEntry* policy = nullptr;  // null: none
};

extern PW_HIDDEN const RuleSet* const* rules_in_force;

inline const RuleSet& CurrentRules() { return *__atomic_load_n(rules_in_force, __ATOMIC_ACQUIRE); }

// For Start and for EnsureFence: the set that stays, unless another is adopted.
void SetRules(const RuleSet& rules);

inline bool HasRules() { return CurrentRules().count != 0; }

// Of extents and sites that outlive a set of rules, tags stand for lists of books.
// `book` before those of `tag`; 0 if there is no room.
uint32_t PrependBook(uint32_t book, uint32_t tag);
uint32_t FirstRuleOfBooks(const RuleSet& set, uint32_t tag, size_t bytes, uint32_t below);

}  // namespace pagewarden
