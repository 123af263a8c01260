// SPDX-License-Identifier: Apache-2.0
// What libpagewarden.so did in another process: its ledger, validated.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/proc/mappings.h"
#include "preload/abi/ledger.h"

namespace pagewarden {

// Counts by abi::Fallback and by abi::Violation, and the words for each.
using FallbackCounts = std::array<uint64_t, abi::kFallbackReasons>;
using ViolationCounts = std::array<uint64_t, abi::kViolations>;
inline constexpr std::array<const char*, abi::kFallbackReasons> kFallbackNames = {
    "Capacity", "TooLarge", "Reentry", "Unlocked", "Forked", "SizeUnknown"};
inline constexpr std::array<const char*, abi::kViolations> kViolationNames = {
    "Canary", "DoubleFree", "WildFree"};

struct ShimArena {
  std::string name;
  uint64_t base = 0;
  uint64_t capacity_bytes = 0;  // now: more than the policy says after growth
  uint64_t locked_bytes = 0;
  uint64_t page_bytes = 0;  // in use by slabs and large blocks
  uint64_t peak_page_bytes = 0;
  uint64_t growths = 0;
  abi::ArenaBacking backing = abi::ArenaBacking::kUnlocked;

  // Sums over the tags of the arena.
  uint64_t used_bytes = 0;
  uint64_t live_allocations = 0;
  uint64_t total_allocations = 0;
  uint64_t fallbacks = 0;  // all reasons
  FallbackCounts fallbacks_by_reason = {};

  bool IsInherited() const { return backing != abi::ArenaBacking::kNotInherited; }
};

// A rule of the policy, or an arena that the program asks for by name.
struct ShimTag {
  std::string name;
  std::string arena;
  bool is_rule = false;
  bool in_force = true;  // false: of a rule that a later policy has removed
  uint64_t live_allocations = 0;
  uint64_t live_bytes = 0;
  uint64_t peak_bytes = 0;
  uint64_t total_allocations = 0;
  uint64_t audited = 0;  // mode: Audit
  FallbackCounts fallbacks = {};
};

struct ShimState {
  uint64_t address = 0;  // of the ledger
  std::string policy;  // empty: none selected
  std::string mode;    // "Disabled", "Audit", "Enforce"
  bool active = false;
  std::string uncovered;  // empty, or the reason: "lock_failed"
  // Of the live image (agent/policy/live_images.h) in force; 0: the image never changes.
  uint32_t generation = 0;
  uint64_t rules_waiting = 0;  // parts of its policy that only a restart brings into force
  uint64_t images_refused = 0;  // published, and not valid to the shim
  bool follows_no_more = false;  // the live image has ended: a restart follows the next
  uint64_t fence_base = 0;
  uint64_t fence_bytes = 0;
  uint64_t relocks = 0;
  uint64_t lock_errors = 0;
  int lock_errno = 0;       // of the last one
  uint64_t namespaces = 0;  // dlmopen calls: each may load a libc without the shim
  uint64_t reentered_frees = 0;
  uint64_t functions_in_executable = 0;  // hooked ones that it defines itself: out of reach
  uint64_t files_missed = 0;             // with secrets, open beyond what there is room for
  uint64_t pinned_bytes = 0;             // locked in place, outside the arenas
  uint64_t unpinned_bytes = 0;           // to be pinned by the policy, but not locked
  uint64_t pin_errors = 0;
  int pin_errno = 0;  // of the last one
  ViolationCounts violations = {};
  std::vector<ShimArena> arenas;
  std::vector<ShimTag> tags;  // at start, the rules first, in the policy's order
};

// "LockedAnonymous": the word of the policy language, or one like it.
const char* BackingName(abi::ArenaBacking backing);

// Finds and validates the ledger of `pid`. nullopt: the shim is not loaded.
// DataLoss: there is one, but its contents break the contract of
// preload/abi/ledger.h (every offset, count and range is checked; text is
// limited to printable ASCII).
absl::StatusOr<std::optional<ShimState>> ReadShimState(pid_t pid,
                                                       const std::vector<Mapping>& mappings);

}  // namespace pagewarden
