/* SPDX-License-Identifier: Apache-2.0 */
/* Calls a function of another plugin. */
#include <stddef.h>

void* plugin_malloc(size_t bytes);

void* user_malloc(size_t bytes) {
  void* p = plugin_malloc(bytes);
  __asm__ volatile("" : "+r"(p));
  return p;
}
