// SPDX-License-Identifier: Apache-2.0
// Decides, for the few calls that need deciding, between the fence and the next
// allocator. The exports come here only when an extent may be live, the policy
// judges every call, or the pointer is the fence's.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/base/macros.h"
#include "preload/rules/rule_set.h"
#include "preload/stack/unwind.h"

namespace pagewarden {

inline constexpr size_t kAnyAlignment = 16;

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

Routed RouteAllocation(size_t bytes, size_t alignment, const CallFrame& frame);

// As the rule demands, whatever extents are live.
Routed AllocateFor(const Rule& rule, size_t bytes, size_t alignment);

const Rule* RuleOfArena(const RuleSet& set, uint32_t arena);

// realloc of a block that is not fenced.
void* RouteRealloc(void* block, size_t bytes, const CallFrame& frame);

// Precondition for all: the fence owns `block`. ReallocFenced is realloc, and
// ResizeFenced the same for a size that is not zero.
void* ReallocFenced(void* block, size_t bytes);
void* ResizeFenced(void* block, size_t bytes);
void FreeFenced(void* block);
size_t FencedSize(void* block);

}  // namespace pagewarden
