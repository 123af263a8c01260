// SPDX-License-Identifier: Apache-2.0
// The fence: one contiguous reservation that holds all arenas, so that "is this
// pointer ours?" is one subtraction and one comparison.
//
//   guard | tables | guard | arena 0 | guard | arena 1 | guard … | spare arenas, guarded as well
//
// A spare arena is address space, and tables that nobody has touched yet, until a policy that
// is taken up later has an arena that the fence has not.
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
  Arena* arenas;         // arena_slots of them; those from ArenaCount() on are not there yet
  uint32_t arena_slots;  // spare ones included
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

extern PW_HIDDEN uint32_t open_arenas;
inline uint32_t ArenaCount() { return __atomic_load_n(&open_arenas, __ATOMIC_ACQUIRE); }

inline constexpr uint32_t kSpareArenas = 4;
inline constexpr uint64_t kSpareArenaBytes = 2u << 20;

// Reserves, guards and locks `count` arenas, with books for `tags`, and `spares` more of
// address space. The tags' rows in the ledger are zero: their names are the caller's to fill
// in. `page` becomes a page of the shim's own, for WatchForks.
abi::Uncovered BuildFence(const abi::ArenaEntry* policies, uint32_t count, uint32_t spares,
                          uint32_t tags, void** page);

// Makes a spare arena one of the fence's, with its first pages locked; more follow as they are
// needed. False: there is none, it is too small, or the kernel refuses. One thread at a time.
bool OpenSpareArena(const abi::ArenaEntry& policy, const char* name, size_t name_bytes);

}  // namespace pagewarden
