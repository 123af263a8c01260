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

#include "preload/base/thread.h"
#include "preload/rules/files.h"

namespace pagewarden {

// Calls visit(scope) for the live extents of this thread, innermost first, until
// it returns true. Dead records on top are dropped on the way.
template <typename Visit>
inline void VisitLiveScopes(Visit visit);

// Looks for the scope library. For Start.
void FindScopes();

// How many slots it has; 0: it is not there.
uint32_t CountScopes();

// The slot of function `name`; CountScopes(): it has none. `hint`: where to look
// first, which becomes the place behind.
uint32_t FindSlot(const char* name, uint32_t* hint);

// Binds the slots that this process can reach already. Later ones bind at their first
// call. Those of functions that a rule in force names begin an extent (CurrentRules).
// Returns how many were bound.
uint64_t BindScopes();

// Other rules are in force.
void UpdateScopes();

// Binds the others anew at their next call: their library may have gone, and come back
// elsewhere.
void UnbindLateScopes();

// Of those that a rule names, how many the executable defines itself: what it calls
// within is not seen.
uint32_t CountScopesInExecutable();

// What a pointer to function `name`, found at `found`, must be for its calls to be seen:
// the trampoline of its slot, if it has one, else `found`.
const void* HookOr(const char* name, const void* found);

// Whether `found` is the trampoline of function `name`.
bool IsHook(const char* name, const void* found);

// Whether the trampoline is all that there is of function `name`: a lookup among all
// modules would find it, and no function behind it.
bool IsHookOfNothing(const char* name);

// The highest address of the main thread's stack; 0 if unknown.
void SetMainStackTop(uint64_t address);

extern PW_HIDDEN uint64_t main_stack_top;

// Deeper than any stack in practice, smaller than the gap the kernel leaves
// between the main stack and the mappings below it (mmap_base: 128 MiB).
inline constexpr uint64_t kDeepestStack = 64u << 20;

bool IsOnThreadStack(uint64_t sp);
bool IsFiberRecordReadable(uint64_t record, uint64_t sp);

// The highest address of the stack that `sp` lies on, 0 where it is unknown:
// a fiber's. Everything from sp up to there can be read.
inline uint64_t StackTop(uint64_t sp) {
  if (PW_LIKELY(main_stack_top - sp < kDeepestStack)) return main_stack_top;
  const uint64_t thread_top = ThreadPointer();
  const bool known = thread_top - sp <= pw_thread.stack_bytes;
  return PW_LIKELY(known) || IsOnThreadStack(sp) ? thread_top : 0;
}

// Extents that the program begins and ends itself. False: there are too many.
bool PushExplicitScope(uint32_t arena);
inline uint32_t ArenaOfExplicitScope(const Scope& scope) {
  return static_cast<uint32_t>(scope.tag >> 32) - 1;
}
void PopExplicitScope();

// The extent of an open file (files.h), `tag` being one of books. False: there are too many.
bool PushFileScope(uint64_t witness, uint32_t tag);

// How far above the stack pointer a record can be of the same fiber's stack: nobody
// says where that ends.
inline constexpr uint64_t kFiberReach = 16u << 10;

inline bool IsLive(const Scope& scope, uint64_t sp, uint64_t stack_top) {
  if (PW_UNLIKELY(scope.sp >= kFileScope))
    return scope.sp == kExplicitScope || IsSecretFileOpen(scope.witness);
  const uint64_t end = stack_top != 0 ? stack_top : sp + kFiberReach;
  if (scope.sp <= sp || scope.sp >= end) return false;
  if (PW_UNLIKELY(stack_top == 0) && !IsFiberRecordReadable(scope.sp, sp)) return false;
  return *reinterpret_cast<const uint64_t*>(scope.sp) == scope.witness;
}

// Whether the record is of the stack that `sp` is on. The extents of a fiber that
// is not running now are neither live nor dead.
inline bool IsOnStack(const Scope& scope, uint64_t sp, uint64_t stack_top) {
  if (scope.sp >= kFileScope) return true;  // the same on each
  if (stack_top != 0) return stack_top - scope.sp < kDeepestStack;
  return scope.sp - sp + kFiberReach < 2 * kFiberReach;
}

template <typename Visit>
inline void VisitLiveScopes(Visit visit) {
  Thread& thread = pw_thread;
  const auto sp = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  const uint64_t top = StackTop(sp);
  for (uint32_t i = thread.scope_count; i-- > 0;) {
    const bool live = IsLive(thread.scopes[i], sp, top);
    if (live && visit(thread.scopes[i])) return;
    const bool is_last = i + 1 == thread.scope_count;
    if (!live && is_last && IsOnStack(thread.scopes[i], sp, top)) thread.scope_count = i;
  }
}

}  // namespace pagewarden
