// SPDX-License-Identifier: Apache-2.0
// Taking up policies that are published while the process runs (abi/live_image.h).
//
// One word of a shared page is compared where a call is judged anyway, and at the entry of
// functions that the scope library hooks. One thread takes the new policy up and the others
// go on meanwhile. It makes no system call, since a sandbox would end the process for it, but
// for a new arena, and that waits in a sandbox. What it builds lies in memory that was mapped
// at start and that is never used twice, so nobody has to wait until no thread reads the old
// rules; an image that was in force before has its rules still.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/base/macros.h"
#include "preload/rules/policy.h"

extern "C" {
extern PW_HIDDEN const uint64_t* pw_live_word;  // abi::LiveImageHeader::current
extern PW_HIDDEN uint64_t pw_adopted_word;      // what it was when last looked at
PW_HIDDEN void pw_adopt_policy();
}

namespace pagewarden {

// How much of a policy a process can take up.
enum class Following {
  kNot,
  kRules,    // it has a fence
  kNothing,  // not fenced: only says what waits for its restart
};

// For Start. `window`: null if the image never changes. False: no memory.
bool PrepareToFollow(const LiveWindow& window, bool secure);

// For Start, at its end: as far as that goes. `tags_in_use`: rows that have a rule or arena.
void Follow(Following how, uint32_t tags_in_use);

// Whether an image is followed: known from PrepareToFollow on.
bool Follows();

// Memory for rules, for good, 8-aligned and zero; null: there is none left.
void* TakeTableMemory(size_t bytes);

inline void NoticePolicy() {
  if (PW_UNLIKELY(__atomic_load_n(pw_live_word, __ATOMIC_ACQUIRE) !=
                  __atomic_load_n(&pw_adopted_word, __ATOMIC_RELAXED)))
    pw_adopt_policy();
}

// fork(2): nobody is half-way in the child.
void BeforeForkOfPolicy();
void AfterForkOfPolicyInParent();
void AfterForkOfPolicyInChild();
void AfterUnseenForkOfPolicy();

}  // namespace pagewarden
