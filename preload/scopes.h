// SPDX-License-Identifier: Apache-2.0
// Dynamic extents: is a function named by a `during` rule running right now?
//
// Entering a hooked function records where its return address lies and what it
// is (scopes.S). Nothing happens on return: an allocation judges the records
// lazily, and one whose return address is no longer there is dead. Returns,
// longjmp and exceptions thus need no hook. An error can only be a stale record
// taken for live, that is one allocation too many in the fence.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/thread.h"

namespace pagewarden {

// Tags of the live extents of this thread, innermost first; dead records on top
// are dropped on the way. Returns how many were written to `tags`.
uint32_t LiveScopes(uint32_t* tags);

// Binds the slots of the scope library that this process can reach already.
// `tag_of[i]` is the tag of function i, 0 where no rule of the selected policy
// names it. Later ones bind at their first call. Returns how many were bound.
uint64_t BindScopes(const uint16_t* tag_of, uint32_t functions);

// The highest address of the main thread's stack; 0 if unknown.
void SetMainStackTop(uint64_t address);

}  // namespace pagewarden
