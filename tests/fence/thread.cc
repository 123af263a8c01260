// SPDX-License-Identifier: Apache-2.0
// What the shim has in scopes.cc and pin_fork.cc: nothing is pinned beside this fence.
#include "preload/thread.h"

#include "preload/pin_fork.h"

namespace pagewarden {

void LookBeforeFork() {}
void BeforeForkOfPins() {}
void AfterForkOfPinsInParent() {}
void AfterForkOfPinsInChild() {}
void AfterUnseenForkOfPins() {}

}  // namespace pagewarden

extern "C" {
__thread pagewarden::Thread pw_thread;
}
