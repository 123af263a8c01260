// SPDX-License-Identifier: Apache-2.0
// Functions for rules to name: two for `during`, one for `callers`.
#include <stddef.h>

void live_first(void (*body)(void*), void* data) {
  body(data);
  __asm__ volatile("");  // no tail call
}
void live_second(void (*body)(void*), void* data) {
  body(data);
  __asm__ volatile("");
}
void* live_caller(void* (*allocate)(size_t), size_t bytes) {
  void* block = allocate(bytes);
  __asm__ volatile("");
  return block;
}
