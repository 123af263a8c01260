/* SPDX-License-Identifier: Apache-2.0 */
/* What the benchmark calls across a library border; the policies name it. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

long bench_call(long x);

/* Calls body(data): the dynamic extent in which allocations are tagged. */
void bench_extent(void (*body)(void*), void* data);

#ifdef __cplusplus
}
#endif
