// SPDX-License-Identifier: Apache-2.0
#include "preload/base/mem.h"

extern "C" {

void* memcpy(void* to, const void* from, size_t bytes) {
  void* cursor = to;
  asm volatile("rep movsb" : "+D"(cursor), "+S"(from), "+c"(bytes) : : "memory");
  return to;
}

void* memset(void* to, int value, size_t bytes) {
  void* cursor = to;
  asm volatile("rep stosb" : "+D"(cursor), "+c"(bytes) : "a"(value) : "memory");
  return to;
}

void* memmove(void* to, const void* from, size_t bytes) {
  auto* target = static_cast<unsigned char*>(to);
  auto* source = static_cast<const unsigned char*>(from);
  if (target <= source || target >= source + bytes) return memcpy(to, from, bytes);
  for (size_t i = bytes; i-- > 0;) target[i] = source[i];
  return to;
}

int memcmp(const void* a, const void* b, size_t bytes) {
  auto* left = static_cast<const unsigned char*>(a);
  auto* right = static_cast<const unsigned char*>(b);
  for (size_t i = 0; i < bytes; ++i)
    if (left[i] != right[i]) return left[i] - right[i];
  return 0;
}

}  // extern "C"
