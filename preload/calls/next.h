// SPDX-License-Identifier: Apache-2.0
// The next allocator: next_malloc, next_free, … point at the definitions that
// the program would have used without the shim. Each starts out at a stub
// (boot.S) that resolves all of them on first use, which may come before any
// constructor, from the loader itself.
#pragma once

#include <stddef.h>

#include "preload/base/macros.h"

extern "C" {
#define PW_NEXT(kind, symbol, result, parameters, fallback) \
  extern PW_HIDDEN result(*next_##symbol) parameters;       \
  PW_HIDDEN result boot_##symbol parameters;
#include "preload/calls/next_names.h"
#undef PW_NEXT
}

namespace pagewarden {

// Whose operators new and delete are next.
enum class Operators {
  // The program's own, or not known yet. They may put a header before a block
  // and hand it to each other: all are left alone, and the malloc inside judged.
  kForeign,
  // The next allocator's: each is taken for itself.
  kAllocator,
  // The C++ library's, which would only call malloc again.
  kCxxLibrary,
};

extern PW_HIDDEN Operators operators;

// Resolves every entry that is still unresolved. Idempotent, and safe to race.
void ResolveNext();

// Whether malloc_usable_size knows the blocks of the next malloc: it may be in another
// library than that, and would read the header that its own blocks have.
bool NextTellsSizes();

// False for a libc-free program: nothing after the shim allocates.
bool HasNext();

// The file that the next malloc is in, as the loader knows it; may be null.
const char* NextAllocatorPath();

}  // namespace pagewarden
