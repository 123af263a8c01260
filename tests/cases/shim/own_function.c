/* SPDX-License-Identifier: Apache-2.0 */
/* Has two functions that the policy names, for counters_test.py. */
#include <stdio.h>
#include <stdlib.h>

void* tagged_malloc(size_t bytes) { return malloc(bytes); }
double tagged_sum(int count, ...) { return count; }

int main(void) {
  puts("ready");
  fflush(stdout);
  return getchar() == EOF ? 0 : 1;
}
