// SPDX-License-Identifier: Apache-2.0
// Rules that are only for threads of certain names. Which of their filters a thread
// passes is found out when it first matters, and again when a thread was renamed:
// there is no system call in between.
#pragma once

#include <stdint.h>

#include "preload/abi/policy_image.h"
#include "preload/base/macros.h"
#include "preload/base/thread.h"
#include "preload/rules/policy.h"

namespace pagewarden {

// The number of the rule's filter, 0 if it is for every thread. Equal filters have one
// number, whatever policy they are of; it is the same for good. Larger than kMaxFilters: the
// rule waits. There are too many, or threads would have to ask for their names in a sandbox.
uint32_t FilterOf(const PolicyImage& image, const abi::RuleEntry& rule);
bool HasFilters();

// Those that have a bit in Thread::filters.
inline constexpr uint32_t kCachedFilters = 64;

// Those behind the cached ones are looked up each time.
inline constexpr uint32_t kMaxFilters = 256;

// How often threads were named, from 1: a new thread has seen none of it.
extern PW_HIDDEN uint64_t names_given;

void NoticeRenamed();
void ReadFilters();
bool PassesUncached(uint32_t filter);

inline bool PassesFilter(uint32_t filter) {
  Thread& thread = pw_thread;
  if (PW_UNLIKELY(filter > kCachedFilters)) return PassesUncached(filter);
  if (PW_UNLIKELY(thread.names_seen != __atomic_load_n(&names_given, __ATOMIC_ACQUIRE)))
    ReadFilters();
  return (thread.filters >> (filter - 1) & 1) != 0;
}

}  // namespace pagewarden

extern "C" {
extern int (*real_pthread_setname_np)(void* thread, const char* name);
int intercepted_pthread_setname_np(void* thread, const char* name);
}
