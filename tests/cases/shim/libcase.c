/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include "case.h"

void tagged(void (*body)(void*), void* data) {
  body(data);
  __asm__ volatile("");  /* not a tail call: the extent must last */
}

struct big tagged_arguments(long a, double b, long c, long d, long e, long f, long g, long h,
                            long double i, struct big j) {
  struct big r;
  for (int k = 0; k < 10; ++k) r.words[k] = j.words[k] + a + (long)b + c + d + e + f + g + h + (long)i;
  return r;
}

double tagged_sum(int count, ...) {
  double sum = 0;
  va_list values;
  va_start(values, count);
  for (int i = 0; i < count; ++i) sum += va_arg(values, double);
  va_end(values);
  return sum;
}

void* tagged_malloc(size_t bytes) {
  void* block = malloc(bytes);
  __asm__ volatile("");
  return block;
}
