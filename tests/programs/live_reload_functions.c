// SPDX-License-Identifier: Apache-2.0
// Functions for rules to name.
#include <stdlib.h>

void live_first(void (*body)(void*), void* data) {
  body(data);
  __asm__ volatile("");  // no tail call
}
void live_second(void (*body)(void*), void* data) {
  body(data);
  __asm__ volatile("");
}
void* live_caller(size_t bytes) {
  void* block = malloc(bytes);
  __asm__ volatile("");
  return block;
}
