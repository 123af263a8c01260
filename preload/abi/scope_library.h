// SPDX-License-Identifier: Apache-2.0
// The scope library: a tiny shared object that the agent writes next to a
// policy image. It exports every function named by a `during` rule, so that
// calls bind to it before the library that defines them. Each export is a
// trampoline that loads the address of its slot into r11 and jumps to
// slot->entry. The slots start out pointing at the shim's binder.
//
//   PEM_read_bio_PrivateKey:  endbr64
//                             lea  slot_i(%rip), %r11
//                             jmp  *(%r11)
//
// Arguments, stack and return address stay untouched, so signatures, varargs,
// longjmp, exceptions and shadow stacks do not matter.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace pagewarden::abi {

struct ScopeSlot {
  const void* entry;  // where the trampoline jumps to; first the shim's binder
  const void* real;   // the next definition of `name`, once bound
  const char* name;
  uint32_t index;  // of the function in the policy image; the shim marks the highest bit
  uint32_t tag;    // set by the shim: the rule's tag, 0 if no rule applies here
};
static_assert(sizeof(ScopeSlot) == 32 && offsetof(ScopeSlot, real) == 8);

// Exported by the scope library; its symbol size gives the number of slots.
inline constexpr char kScopeSlotsSymbol[] = "pagewarden_scope_slots";

// Exported by the shim.
inline constexpr char kScopeBindSymbol[] = "pagewarden_scope_bind";

}  // namespace pagewarden::abi
