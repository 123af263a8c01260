// SPDX-License-Identifier: Apache-2.0
// The next allocator: next_malloc, next_free, … point at the definitions that
// the program would have used without the shim. Each starts out at a stub
// (boot.S) that resolves all of them on first use, which may come before any
// constructor, from the loader itself.
#pragma once

#include <stddef.h>

#include "preload/macros.h"

extern "C" {
#define PW_NEXT_C(symbol, result, parameters, fallback) \
  extern PW_HIDDEN result(*next_##symbol) parameters;
#define PW_NEXT_CXX PW_NEXT_C
#include "preload/next_names.h"
#undef PW_NEXT_CXX
#undef PW_NEXT_C
}

namespace pagewarden {

// True when the next operator new is the C++ library's: it would only call
// malloc again, so the shim calls next_malloc itself (19 ns becomes 12 a pair).
extern PW_HIDDEN bool cxx_is_malloc;

// Resolves every entry that is still unresolved. Idempotent, and safe to race.
void ResolveNext();

// False for a libc-free program: nothing after the shim allocates.
bool HasNext();

}  // namespace pagewarden
