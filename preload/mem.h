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

namespace pagewarden {

// Zeroes a multiple of 8 bytes, 8-aligned. The barrier keeps the stores even
// when the compiler can see that nobody reads them.
inline void WipeWords(void* at, size_t bytes) {
  constexpr size_t kStringOperationPays = 512;
  auto* word = static_cast<uint64_t*>(at);
  if (bytes >= kStringOperationPays) {
    size_t count = bytes / 8;
    asm volatile("rep stosq" : "+D"(word), "+c"(count) : "a"(0L) : "memory");
    return;
  }
  for (size_t i = 0; i < bytes / 8; ++i) word[i] = 0;
  asm volatile("" : : "r"(at) : "memory");
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
