/* SPDX-License-Identifier: Apache-2.0 */
#include "libbench.h"

long bench_call(long x) { return x + 1; }

void bench_extent(void (*body)(void*), void* data) {
  body(data);
  __asm__ volatile("");  /* no tail call: the extent must last */
}
