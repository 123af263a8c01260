// SPDX-License-Identifier: Apache-2.0
#include "preload/fork.h"

#include "preload/fence.h"
#include "preload/ledger.h"
#include "preload/sys.h"
#include "preload/thread_rows.h"

extern "C" {
using ForkHandler = void (*)();
// glibc: the function behind pthread_atfork, which itself is in no libc.so.
int __register_atfork(ForkHandler, ForkHandler, ForkHandler, void*) __attribute__((weak));
// musl.
int pthread_atfork(ForkHandler, ForkHandler, ForkHandler) __attribute__((weak));
}

namespace pagewarden {
namespace {

uint64_t always_seen = 1;

// fork in a signal handler that interrupted an arena's critical section: the
// lock is this thread's own. It is left alone, and released where it was taken.
bool HoldsLock() { return pw_thread.in_arena == kHoldsLock; }

void BeforeFork() {
  if (HoldsLock()) return;
  for (uint32_t i = 0; i < fence.arena_count; ++i) fence.arenas[i].BeforeFork();
}

void AfterForkInParent() {
  if (HoldsLock()) return;
  for (uint32_t i = fence.arena_count; i-- > 0;) fence.arenas[i].AfterForkInParent();
}

void AfterForkInChild() {
  *fork_witness = 1;
  ledger.pid = static_cast<uint32_t>(sys::GetPid());
  ReleaseRowsOfOthers();
  for (uint32_t i = 0; i < fence.arena_count; ++i) fence.arenas[i].AfterForkInChild(!HoldsLock());
}

}  // namespace

uint64_t* fork_witness = &always_seen;

bool WatchForks(void* page) {
  if (!sys::Failed(sys::Advise(page, kPageBytes, MADV_WIPEONFORK))) {
    auto* witness = static_cast<uint64_t*>(page);
    *witness = 1;
    // Other threads may look at any moment, and zero means a fork to them.
    __atomic_store_n(&fork_witness, witness, __ATOMIC_RELEASE);
  }
  // No owner: the shim is never unloaded.
  if (&__register_atfork != nullptr)
    return __register_atfork(BeforeFork, AfterForkInParent, AfterForkInChild, nullptr) == 0;
  if (&pthread_atfork != nullptr)
    return pthread_atfork(BeforeFork, AfterForkInParent, AfterForkInChild) == 0;
  return false;
}

PW_COLD void HandleUnseenFork() {
  *fork_witness = 1;
  ReleaseRowsOfOthers();
  for (uint32_t i = 0; i < fence.arena_count; ++i) fence.arenas[i].AfterUnseenFork(!HoldsLock());
}

}  // namespace pagewarden
