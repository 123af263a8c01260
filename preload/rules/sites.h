// SPDX-License-Identifier: Apache-2.0
// Call sites: which rules of the forms `callers` and `stack` an allocation matches, by
// the return addresses above it.
//
// What the policy says of a return address (site_rules.h) is worked out once and then
// read from a cache, which most allocations need no more of than one look. Two ways,
// one word an entry, the verdict in the bits that addresses do not use; written
// without locks, since an entry that is lost is only worked out again.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/abi/policy_image.h"
#include "preload/base/macros.h"
#include "preload/rules/rule_set.h"
#include "preload/stack/unwind.h"

namespace pagewarden {

// Makes the caches. For Start. False: no memory.
bool PrepareSites();
inline bool CanJudgeSites();

// The first rule of those forms that is `below`, that takes `bytes` and that the
// allocation called for from `frame` matches; else `below`.
uint32_t FirstSiteRule(const RuleSet& set, const CallFrame& frame, size_t bytes, uint32_t below);

// Forgets all that is known of addresses: other modules may be there now, or other rules.
void FlushSites();

inline constexpr uint32_t kSiteWays = 2;
inline constexpr uint32_t kSiteSets = 1u << 13;
inline constexpr unsigned kVerdictShift = 48;

extern PW_HIDDEN uint64_t* site_cache;

inline bool CanJudgeSites() { return site_cache != nullptr; }

PW_INLINE const uint64_t* SiteSetOf(uint64_t address) {
  const uint64_t set = (address ^ address >> 13) % kSiteSets;
  return site_cache + set * kSiteWays;
}

// Whether this return address is known, and no rule wants what is asked for from
// there. Its verdict is 0 then, so that the entry is the address itself.
PW_INLINE bool IsPlainSite(const void* return_address) {
  const auto address = reinterpret_cast<uint64_t>(return_address);
  const uint64_t* set = SiteSetOf(address);
  return __atomic_load_n(&set[0], __ATOMIC_RELAXED) == address ||
         __atomic_load_n(&set[1], __ATOMIC_RELAXED) == address;
}

}  // namespace pagewarden
