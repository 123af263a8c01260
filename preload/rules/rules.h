// SPDX-License-Identifier: Apache-2.0
// The tables that the router and the scopes work by, made from the policy image at
// start. They live as long as the process.
#pragma once

#include <stdint.h>

#include "preload/abi/policy_image.h"
#include "preload/calls/router.h"
#include "preload/rules/policy.h"

namespace pagewarden {

struct RuleTables {
  RuleSet set;
  uint32_t* slot_tags;  // by function of the image: the tag of its rules, 0 if none
};

// One for each rule, then one for each arena (pagewarden.h).
inline uint32_t TagsOf(const abi::PolicyEntry& policy) {
  return policy.rules.count + policy.arenas.count;
}

// Precondition: the fence is built, with TagsOf(policy) tags; the arenas have their
// names in the ledger. Names the tags there. False: no memory.
bool BuildRules(const PolicyImage& image, const abi::PolicyEntry& policy, RuleTables* out);

// The tag of extents that stands for the rule and those of `tag`, which come behind
// it. What there is no room for is left out.
uint32_t PrependRule(uint32_t rule, uint32_t tag);

// For a policy that only pins: no allocation is tagged.
RuleSet NoRules();

// For a fence of one arena and no policy.
RuleSet RulesOfOneArena();

}  // namespace pagewarden
