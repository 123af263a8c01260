// SPDX-License-Identifier: Apache-2.0
// The few byte operations the shim needs. The compiler may call memcpy and
// friends on its own, so those exist too, hidden (mem.cc). General registers
// only: no key byte is left behind in a vector register.
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {
void* memcpy(void* to, const void* from, size_t bytes);
void* memset(void* to, int value, size_t bytes);
}

// The shim is compiled for general registers only: the compiler then neither uses
// xmm0 nor knows its name. Elsewhere (tests) it must be told.
#ifdef __SSE__
#define PW_XMM0 , "xmm0"
#else
#define PW_XMM0
#endif

namespace pagewarden {

// Zeroes a multiple of 16 bytes, 16-aligned. Inline assembly keeps the stores even
// when the compiler can see that nobody reads them. xmm0 is left zero.
inline void WipeSlot(void* at, size_t bytes) {
  constexpr size_t kStringOperationPays = 512;
  if (bytes >= kStringOperationPays) {
    size_t words = bytes / 8;
    asm volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(0L) : "memory");
    return;
  }
  asm volatile(
      "pxor %%xmm0, %%xmm0\n"
      "1: movaps %%xmm0, -16(%0, %1)\n"
      "sub $16, %1\n"
      "jnz 1b"
      : "+r"(at), "+r"(bytes)
      :
      : "cc", "memory" PW_XMM0);
}

inline void WipeBytes(void* at, size_t bytes) {
  asm volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(0) : "memory");
}

inline size_t Length(const char* text) {
  size_t n = 0;
  while (text[n] != 0) ++n;
  return n;
}

inline bool Equal(const char* a, const char* b) {
  while (*a != 0 && *a == *b) ++a, ++b;
  return *a == *b;
}

inline bool EqualBytes(const char* a, const char* b, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i)
    if (a[i] != b[i]) return false;
  return true;
}

// Copies at most room - 1 bytes and terminates.
inline void CopyText(char* to, size_t room, const char* from, size_t bytes) {
  const size_t n = bytes < room ? bytes : room - 1;
  memcpy(to, from, n);
  to[n] = 0;
}

}  // namespace pagewarden
