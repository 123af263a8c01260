// SPDX-License-Identifier: Apache-2.0
// What the shim has around the taking up of policies, as far as the hammer needs it: the C
// library is the next allocator, nothing is pinned, no function has a handler.
#include <malloc.h>

#include <cstdlib>

#include "preload/base/sanitizer.h"
#include "preload/calls/next.h"
#include "preload/calls/pass.h"
#include "preload/pins/fork.h"
#include "preload/pins/process.h"
#include "preload/pins/sandbox.h"
#include "preload/rules/interceptors.h"
#include "preload/start.h"

extern "C" {
void* (*next_malloc)(size_t) = malloc;
void* (*next_realloc)(void*, size_t) = realloc;
void (*next_free)(void*) = free;
size_t (*next_malloc_usable_size)(void*) = malloc_usable_size;
}

namespace pagewarden {

bool NextTellsSizes() { return true; }
void SetJudging(Judging) {}
bool Started() { return true; }

const void* InterceptorOr(const char*, const void* real) { return real; }
bool IsIntercepted(const char*, const void*) { return false; }

bool InSandbox() { return false; }
bool follows_heap = false;
bool PinsProcess() { return false; }
void NoticeHeap() {}
void LookBeforeFork() {}
void BeforeForkOfPins() {}
void AfterForkOfPinsInParent() {}
void AfterForkOfPinsInChild() {}
void AfterUnseenForkOfPins() {}

}  // namespace pagewarden
