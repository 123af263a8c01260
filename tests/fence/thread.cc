// SPDX-License-Identifier: Apache-2.0
// What the shim has in scopes.cc.
#include "preload/thread.h"

extern "C" {
__thread pagewarden::Thread pw_thread;
}
