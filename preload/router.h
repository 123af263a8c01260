// SPDX-License-Identifier: Apache-2.0
// Decides, for the few calls that need deciding, between the fence and the next
// allocator. The exports come here only when an extent may be live, the policy
// judges every call, or the pointer is the fence's.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/arena.h"

namespace pagewarden {

inline constexpr size_t kAnyAlignment = 16;

// One a tag. Those behind the policy's rules stand for the arenas themselves, as
// programs ask for them by name (pagewarden.h).
struct Rule {
  uint64_t min_bytes;
  uint64_t max_bytes;
  Arena* arena;
  uint32_t tag;  // index of its books
};

struct RuleSet {
  const Rule* rules;  // extents name rules[tag - 1]
  uint32_t count;
  const Rule* everywhere;  // of form `all`, asked where no extent decides
  uint32_t everywhere_count;
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

// Called before any extent is live.
void SetRules(const RuleSet& rules);
bool HasRules();

Routed RouteAllocation(size_t bytes, size_t alignment);

// As the rule demands, whatever extents are live.
Routed AllocateFor(const Rule& rule, size_t bytes, size_t alignment);

const Rule* RuleOfArena(uint32_t arena);

// realloc where the block is fenced or an extent is live.
void* RouteRealloc(void* block, size_t bytes);

// Precondition for all three: the fence owns `block`. ResizeFenced: as realloc.
void* ResizeFenced(void* block, size_t bytes);
void FreeFenced(void* block);
size_t FencedSize(void* block);

}  // namespace pagewarden
