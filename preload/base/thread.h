// SPDX-License-Identifier: Apache-2.0
// Per-thread state: initial-exec TLS, plain data, no destructor. It stays small
// because LD_AUDIT and dlopen leave little static TLS (glibc: 1664 bytes for
// everyone); tests/goldens hold it to 256 bytes.
#pragma once

#include <stdint.h>

#include "preload/base/macros.h"

namespace pagewarden {

// A call of a hooked function that may still be running: it is, as long as the
// stack is deeper than `sp` and the word there is still the return address.
struct Scope {
  uint64_t sp;       // address of the return address, or one of the values below
  uint64_t witness;  // the return address at entry
  uint64_t tag;      // what it is: a number that stays when the rules change
};

// Not judged by the stack: begun and ended by calls (pagewarden.h), or there as long
// as a file is open (files.h).
inline constexpr uint64_t kExplicitScope = UINT64_MAX;
inline constexpr uint64_t kFileScope = UINT64_MAX - 1;

inline constexpr uint32_t kMaxScopes = 9;

struct Thread {
  uint32_t scope_count;
  // Set while the thread changes an arena's state, or holds its lock around fork: a
  // signal handler that allocates must not enter then.
  bool in_arena;
  bool was_in_arena : 1;     // when fork began
  bool signals_blocked : 1;  // signal_guard.h
  bool is_main;
  uint8_t row;  // thread_rows.h; 0: not asked for yet
  Scope scopes[kMaxScopes];
  uint64_t stack_bytes;   // below the thread pointer: known to be this thread's stack
  uint64_t filters;       // thread_names.h: a bit for each that this thread's name passes
  uint64_t names_seen;    // when that was found out
};

// Layout known to scopes.S.
static_assert(sizeof(Scope) == 24 && sizeof(Thread) == 32 + kMaxScopes * 24);
static_assert(sizeof(Thread) <= 256);

// The thread control block: unique among the living threads of a process, and
// on glibc and musl the top of the thread's stack.
inline uint64_t ThreadPointer() {
  uint64_t self;
  asm("movq %%fs:0, %0" : "=r"(self));
  return self;
}

}  // namespace pagewarden

extern "C" PW_HIDDEN __thread pagewarden::Thread pw_thread;
