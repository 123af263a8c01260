// SPDX-License-Identifier: Apache-2.0
#include "preload/fence/fork.h"

#include "preload/base/ledger.h"
#include "preload/base/sys.h"
#include "preload/elf/loader_lock.h"
#include "preload/fence/fence.h"
#include "preload/fence/thread_rows.h"
#include "preload/pins/fork.h"
#include "preload/rules/follow.h"

extern "C" {
using ForkHandler = void (*)();
// glibc: the function behind pthread_atfork, which itself is in no libc.so.
int __register_atfork(ForkHandler, ForkHandler, ForkHandler, void*) __attribute__((weak));
// musl.
int pthread_atfork(ForkHandler, ForkHandler, ForkHandler) __attribute__((weak));
}

namespace pagewarden {
namespace {

// The second word of it: whose memory this is; 0: unknown.
uint64_t always_seen[2] = {kSeen, 0};

void BeforeFork() {
  LookBeforeFork();
  NoticeFork();
  BeforeForkOfLoader();
  BeforeForkOfPolicy();
  pw_thread.was_in_arena = pw_thread.in_arena;
  pw_thread.in_arena = true;
  for (uint32_t i = 0; i < ArenaCount(); ++i) fence.arenas[i].BeforeFork();
  BeforeForkOfPins();
}

void AfterForkInParent() {
  AfterForkOfPinsInParent();
  for (uint32_t i = ArenaCount(); i-- > 0;) fence.arenas[i].AfterForkInParent();
  AfterForkOfPolicyInParent();
  pw_thread.in_arena = pw_thread.was_in_arena;
}

void AfterForkInChild() {
  *fork_witness = kSeen;
  ledger.pid = static_cast<uint32_t>(sys::GetPid());
  fork_witness[1] = ledger.pid;
  AfterForkOfLoaderInChild();
  ReleaseRowsOfOthers();
  for (uint32_t i = 0; i < ArenaCount(); ++i) fence.arenas[i].AfterForkInChild();
  AfterForkOfPinsInChild();
  AfterForkOfPolicyInChild();
  pw_thread.in_arena = pw_thread.was_in_arena;
}

}  // namespace

uint64_t* fork_witness = always_seen;

bool RegisterForkHandlers() {
  // No owner: the shim is never unloaded.
  if (&__register_atfork != nullptr)
    return __register_atfork(BeforeFork, AfterForkInParent, AfterForkInChild, nullptr) == 0;
  if (&pthread_atfork != nullptr)
    return pthread_atfork(BeforeFork, AfterForkInParent, AfterForkInChild) == 0;
  return false;
}

void WatchForks(void* page) {
  if (page == nullptr) page = reinterpret_cast<void*>(sys::Map(kPageBytes));
  if (sys::Failed(sys::Advise(page, kPageBytes, MADV_WIPEONFORK))) return;
  auto* witness = static_cast<uint64_t*>(page);
  witness[0] = kSeen;
  witness[1] = static_cast<uint64_t>(sys::GetPid());
  // Other threads may look at any moment, and zero means a fork to them.
  __atomic_store_n(&fork_witness, witness, __ATOMIC_RELEASE);
}

bool SharesParentsMemory() {
  const uint64_t owner = fork_witness[1];
  return owner != 0 && owner != static_cast<uint64_t>(sys::GetPid());
}

// The child may have several threads by now: the first to come does it, and the
// others wait.
PW_COLD void HandleUnseenFork() {
  if (pw_thread.in_arena) return;  // a signal handler, of the thread that is at it perhaps
  uint64_t unseen = kUnseen;
  if (!__atomic_compare_exchange_n(fork_witness, &unseen, kHandling, false, __ATOMIC_ACQ_REL,
                                   __ATOMIC_ACQUIRE)) {
    while (__atomic_load_n(fork_witness, __ATOMIC_ACQUIRE) == kHandling) __builtin_ia32_pause();
    return;
  }
  pw_thread.in_arena = true;
  for (uint32_t i = 0; i < ArenaCount(); ++i) fence.arenas[i].AfterUnseenFork();
  AfterUnseenForkOfPins();
  AfterUnseenForkOfPolicy();
  __atomic_store_n(fork_witness, kSeen, __ATOMIC_RELEASE);
  pw_thread.in_arena = false;
}

}  // namespace pagewarden
