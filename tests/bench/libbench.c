/* SPDX-License-Identifier: Apache-2.0 */
/* What the worker calls across a library border: hooked by bench.yaml. */

long bench_call(long x) { return x + 1; }

void bench_extent(void (*body)(void*), void* data) {
  body(data);
  __asm__ volatile("");  /* no tail call: the extent must last */
}
