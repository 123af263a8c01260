// SPDX-License-Identifier: Apache-2.0
// Makes a set of rules (rule_set.h) from a policy: at start, and when another is taken up.
#pragma once

#include <stdint.h>

#include "preload/abi/ledger.h"
#include "preload/abi/policy_image.h"
#include "preload/fence/fence.h"
#include "preload/rules/policy.h"
#include "preload/rules/rule_set.h"

namespace pagewarden {

// One for each rule, then one for each arena (pagewarden.h).
inline uint32_t TagsOf(const abi::PolicyEntry& policy) {
  return policy.rules.count + policy.arenas.count;
}

// What a process has room for that follows other policies.
struct Spares {
  uint32_t arenas;
  uint32_t rules;
};

inline Spares SparesFor(const abi::PolicyEntry& policy, bool has_arenas) {
  constexpr uint32_t kSpareRules = 24;
  const uint32_t room = abi::kMaxLedgerTags - TagsOf(policy);
  const auto least = [](uint32_t a, uint32_t b) { return a < b ? a : b; };
  const uint32_t arenas = least(kSpareArenas, abi::kMaxLedgerArenas - policy.arenas.count);
  const Spares spares = {has_arenas ? least(arenas, room) : 0, 0};
  return {spares.arenas, least(kSpareRules, room - spares.arenas)};
}

// For Start, if anything will be remembered by lists of books. False: no memory.
bool PrepareBookLists();

// Precondition: the fence is built, the arenas have their names in the ledger, and the
// scope library was looked for. `tags_in_use`: rows that have a rule or an arena; it counts
// those that this set adds. False: no memory.
bool BuildRules(const PolicyImage& image, const abi::PolicyEntry& policy, uint32_t* tags_in_use,
                RuleSet* out);

// The ledger's rows say then which rules are in force.
void MarkRows(const RuleSet& set, uint32_t tags_in_use);

// A spare arena of the fence becomes this one. False: it cannot now.
bool OpenNewArena(const PolicyImage& image, const abi::ArenaEntry& arena);

// The arena of the fence by the name that the policy's has; UINT32_MAX: there is none.
uint32_t FindArenaOf(const PolicyImage& image, const abi::ArenaEntry& arena);

// For a fence of one arena and no policy.
RuleSet RulesOfOneArena();

}  // namespace pagewarden
