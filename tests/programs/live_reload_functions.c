// SPDX-License-Identifier: Apache-2.0
// Functions for rules to name.
void live_first(void (*body)(void*), void* data) {
  body(data);
  __asm__ volatile("");  // no tail call
}
void live_second(void (*body)(void*), void* data) {
  body(data);
  __asm__ volatile("");
}
