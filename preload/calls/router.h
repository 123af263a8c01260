// SPDX-License-Identifier: Apache-2.0
// Decides, for the few calls that need deciding, between the fence and the next
// allocator. The exports come here only when an extent may be live, the policy
// judges every call, or the pointer is the fence's.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/base/macros.h"
#include "preload/fence/arena.h"
#include "preload/rules/chains.h"
#include "preload/rules/thread_names.h"
#include "preload/stack/unwind.h"

namespace pagewarden {

inline constexpr size_t kAnyAlignment = 16;

// One a tag. Those behind the policy's rules stand for the arenas themselves, as
// programs ask for them by name (pagewarden.h).
struct Rule {
  uint64_t min_bytes;
  uint64_t max_bytes;
  Arena* arena;
  uint32_t tag;     // index of its books
  uint32_t filter;  // of thread names (thread_names.h), 0: none
};

inline bool Takes(const Rule& rule, size_t bytes) {
  return bytes >= rule.min_bytes && bytes <= rule.max_bytes &&
         (PW_LIKELY(rule.filter == 0) || PassesFilter(rule.filter));
}

// Of the rules that an allocation matches, the first applies.
struct RuleSet {
  const Rule* rules;
  uint32_t count;
  const Chains* extents;  // what their tags stand for
  uint32_t everywhere;  // the tag of the rules of form `all`
  uint32_t short_way;   // rules before this one are of form `during`
  bool audit_only;
};

// What to do with a request.
enum class Route {
  kNext,    // not tagged, or tagged and left to the next allocator (counted)
  kFenced,  // done: `block` is zeroed memory of an arena
  kFail,    // tagged, and the policy says Fail: errno is ENOMEM
};

struct Routed {
  Route route;
  void* block;
};

// The frame is that of the function that the program called for memory.

// Called before any extent is live.
void SetRules(const RuleSet& rules);
bool HasRules();

Routed RouteAllocation(size_t bytes, size_t alignment, const CallFrame& frame);

// As the rule demands, whatever extents are live.
Routed AllocateFor(const Rule& rule, size_t bytes, size_t alignment);

const Rule* RuleOfArena(uint32_t arena);

// realloc of a block that is not fenced.
void* RouteRealloc(void* block, size_t bytes, const CallFrame& frame);

// Precondition for all: the fence owns `block`. ReallocFenced is realloc, and
// ResizeFenced the same for a size that is not zero.
void* ReallocFenced(void* block, size_t bytes);
void* ResizeFenced(void* block, size_t bytes);
void FreeFenced(void* block);
size_t FencedSize(void* block);

}  // namespace pagewarden
