// SPDX-License-Identifier: Apache-2.0
// The fence: one contiguous reservation that holds all arenas, so that "is this
// pointer ours?" is one subtraction and one comparison.
//
//   guard | tables | guard | arena 0 | guard | arena 1 | guard …
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/abi/ledger.h"
#include "preload/base/macros.h"
#include "preload/fence/arena.h"
#include "preload/fence/books.h"

namespace pagewarden {

struct Fence {
  uint64_t base;
  uint64_t bytes;
  Arena* arenas;
  uint32_t arena_count;
  Books books;
  CanaryKey key;

  bool Owns(const void* p) const { return reinterpret_cast<uint64_t>(p) - base < bytes; }

  // Precondition: Owns(block). Aborts for a pointer between the arenas.
  Arena& ArenaOf(const void* block) const {
    if (PW_LIKELY(arenas[0].Owns(block))) return arenas[0];
    return OtherArenaOf(block);
  }
  Arena& OtherArenaOf(const void* block) const;
};

extern PW_HIDDEN Fence fence;

// Reserves, guards and locks `count` arenas, with books for `tags`. The tags'
// rows in the ledger are zero: their names are the caller's to fill in. `page`
// becomes a page of the shim's own, for WatchForks.
abi::Uncovered BuildFence(const abi::ArenaEntry* policies, uint32_t count, uint32_t tags,
                          void** page);

}  // namespace pagewarden
