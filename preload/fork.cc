// SPDX-License-Identifier: Apache-2.0
#include "preload/fork.h"

#include "preload/fence.h"
#include "preload/ledger.h"
#include "preload/sys.h"
#include "preload/thread.h"

extern "C" {
using ForkHandler = void (*)();
// glibc: the function behind pthread_atfork, which itself is in no libc.so.
int __register_atfork(ForkHandler, ForkHandler, ForkHandler, void*) __attribute__((weak));
// musl.
int pthread_atfork(ForkHandler, ForkHandler, ForkHandler) __attribute__((weak));
}

namespace pagewarden {
namespace {

void BeforeFork() {
  for (uint32_t i = 0; i < fence.arena_count; ++i) fence.arenas[i].lock().Acquire();
}

void AfterForkInParent() {
  for (uint32_t i = fence.arena_count; i-- > 0;) fence.arenas[i].lock().Release();
}

void AfterForkInChild() {
  for (uint32_t i = 0; i < fence.arena_count; ++i) fence.arenas[i].lock().Reset();
  pw_thread.in_arena = 0;
  ledger.pid = static_cast<uint32_t>(sys::GetPid());
  RelockAfterFork();
}

}  // namespace

bool RegisterForkHandlers() {
  // No owner: the shim is never unloaded.
  if (&__register_atfork != nullptr)
    return __register_atfork(BeforeFork, AfterForkInParent, AfterForkInChild, nullptr) == 0;
  if (&pthread_atfork != nullptr)
    return pthread_atfork(BeforeFork, AfterForkInParent, AfterForkInChild) == 0;
  return false;
}

}  // namespace pagewarden
