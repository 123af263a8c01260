// SPDX-License-Identifier: Apache-2.0
// What the shim has in scopes.cc and pin_fork.cc: nothing is pinned beside this fence.
#include "preload/base/thread.h"

#include "preload/pins/fork.h"

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
