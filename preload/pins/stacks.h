// SPDX-License-Identifier: Apache-2.0
// `pin.stacks`: the upper part of each stack. A thread's is locked before its start
// routine runs. The main stack goes on growing below its locked part, in a mapping
// that is not locked: a locked one counts its growth against the limit, and ends the
// program with SIGSEGV there.
#pragma once

#include <stdint.h>

namespace pagewarden {

// For Start: the main stack.
void StartPinningStacks(uint64_t bytes);

// In the child of fork, which has one thread.
void ForgetBirths();

// What `pin.process` pins of each stack.
inline constexpr uint64_t kStackBytesOfProcess = 256 << 10;

}  // namespace pagewarden

extern "C" {
struct pw_thread_attributes;
extern int (*real_pthread_create)(void*, const pw_thread_attributes*, void* (*)(void*), void*);
int intercepted_pthread_create(void* thread, const pw_thread_attributes* attributes,
                               void* (*start)(void*), void* argument);
}
