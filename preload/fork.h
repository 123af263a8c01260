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

#include "preload/macros.h"

namespace pagewarden {

// Returns false where there is nowhere to register. `page` is writable, of the
// shim's own, private and anonymous.
bool WatchForks(void* page);

extern PW_HIDDEN uint64_t* fork_witness;  // zero in a child that no handler saw

// Puts locks and books in order in such a child. Its copy of the arenas is not
// locked, and the ledger says so from here on.
void HandleUnseenFork();

// To be called before an arena's lock is waited for.
inline void NoticeFork() {
  if (PW_UNLIKELY(__atomic_load_n(fork_witness, __ATOMIC_RELAXED) == 0)) HandleUnseenFork();
}

}  // namespace pagewarden
