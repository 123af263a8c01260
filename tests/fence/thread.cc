// SPDX-License-Identifier: Apache-2.0
// What the shim has in scopes.cc, pins/fork.cc and rules/follow.cc: nothing is pinned beside this
// fence, and no image is followed.
#include "preload/base/thread.h"

#include "preload/pins/fork.h"
#include "preload/rules/follow.h"

namespace pagewarden {

void LookBeforeFork() {}
void BeforeForkOfPins() {}
void AfterForkOfPinsInParent() {}
void AfterForkOfPinsInChild() {}
void AfterUnseenForkOfPins() {}

void BeforeForkOfPolicy() {}
void AfterForkOfPolicyInParent() {}
void AfterForkOfPolicyInChild() {}
void AfterUnseenForkOfPolicy() {}

}  // namespace pagewarden

extern "C" {
__thread pagewarden::Thread pw_thread;
}
