// SPDX-License-Identifier: Apache-2.0
// The fence: one contiguous reservation that holds all arenas, so that "is this
// pointer ours?" is one subtraction and one comparison.
//
//   guard | records | guard | arena 0 | guard | arena 1 | guard …
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/abi/ledger.h"
#include "preload/arena.h"
#include "preload/macros.h"
#include "preload/policy.h"

namespace pagewarden {

struct Fence {
  uint64_t base;   // zero bytes: owns nothing
  uint64_t bytes;
  Arena* arenas;
  uint32_t arena_count;
  CanaryKey key;

  bool Owns(const void* p) const { return reinterpret_cast<uint64_t>(p) - base < bytes; }

  // Precondition: Owns(block). Aborts for a pointer between the arenas.
  Arena& ArenaOf(const void* block) const;
};

extern PW_HIDDEN Fence fence;

// Reserves, guards and locks the arenas of the policy. All memory system calls
// of the shim's life are made here and in RelockAfterFork.
abi::Uncovered BuildFence(const PolicyImage& image, const abi::PolicyEntry& policy);

// The fork child's copy of the arenas is unlocked until this has run.
void RelockAfterFork();

}  // namespace pagewarden
