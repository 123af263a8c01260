// SPDX-License-Identifier: Apache-2.0
// fork: the arenas' locks are held across it, and the child locks its memory
// again before anything else of the program runs, so before it drops rights,
// closes descriptors or enters a sandbox. glibc takes its own malloc locks
// after prepare handlers and releases them before child handlers (fork.c).
//
// A raw clone(2), or _Fork(3), runs no handler. A page that the kernel wipes in
// every child (MADV_WIPEONFORK) tells then that there was one.
#pragma once

#include <stdint.h>

#include "preload/base/macros.h"

namespace pagewarden {

// At start, whether there is a fence yet or not: handlers that the program has
// registered earlier would run while the arenas' locks are held. Returns false where
// there is nowhere to register.
bool RegisterForkHandlers();

// Notices children that no handler saw. `page` is writable, of the shim's own,
// private and anonymous; null: there is none yet.
void WatchForks(void* page);

enum ForkWitness : uint64_t { kUnseen = 0, kSeen = 1, kHandling = 2 };
extern PW_HIDDEN uint64_t* fork_witness;

// In a child of vfork: what it does to itself, it does not do to the memory's owner.
// False as well where that is unknown.
bool SharesParentsMemory();

// Puts locks and books in order in such a child. Its copy of the arenas is not
// locked, and the ledger says so from here on.
void HandleUnseenFork();

// To be called before anything is asked of an arena.
inline void NoticeFork() {
  if (PW_UNLIKELY(__atomic_load_n(fork_witness, __ATOMIC_ACQUIRE) != kSeen)) HandleUnseenFork();
}

}  // namespace pagewarden
