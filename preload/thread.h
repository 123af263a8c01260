// SPDX-License-Identifier: Apache-2.0
// Per-thread state: initial-exec TLS, plain data, no destructor. It stays small
// because LD_AUDIT and dlopen leave little static TLS (glibc: 1664 bytes for
// everyone); tests/goldens hold it to 256 bytes.
#pragma once

#include <stdint.h>

#include "preload/macros.h"

namespace pagewarden {

// A call of a hooked function that may still be running: it is, as long as the
// stack is deeper than `sp` and the word there is still the return address.
struct Scope {
  uint64_t sp;       // address of the return address
  uint64_t witness;  // the return address at entry
  uint64_t tag;      // rule number, from 1
};

inline constexpr uint32_t kMaxScopes = 10;

struct Thread {
  uint32_t scope_count;
  uint32_t in_arena;  // set while this thread holds an arena's lock
  Scope scopes[kMaxScopes];
};

// Layout known to scopes.S.
static_assert(sizeof(Scope) == 24 && sizeof(Thread) == 8 + kMaxScopes * 24);
static_assert(sizeof(Thread) <= 256);

}  // namespace pagewarden

extern "C" PW_HIDDEN __thread pagewarden::Thread pw_thread;
