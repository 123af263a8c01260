// SPDX-License-Identifier: Apache-2.0
// Decides, for the few calls that need deciding, between the fence and the next
// allocator. The exports come here only when an extent may be live or the
// pointer is the fence's.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/arena.h"

namespace pagewarden {

inline constexpr size_t kAnyAlignment = 16;

struct Rule {
  uint64_t min_bytes;
  uint64_t max_bytes;
  Arena* arena;
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

// Called once, before any extent is live. `rules[tag - 1]` belongs to `tag`.
void SetRules(const Rule* rules, uint32_t count, bool audit_only);

Routed RouteAllocation(size_t bytes, size_t alignment);

// realloc where the block is fenced or an extent is live.
void* RouteRealloc(void* block, size_t bytes);

// Precondition for both: the fence owns `block`.
void FreeFenced(void* block);
size_t FencedSize(void* block);

}  // namespace pagewarden
