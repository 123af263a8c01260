/* SPDX-License-Identifier: Apache-2.0 */
/* Only a tagged block points at an untagged one: that is no leak. With "leak",
   nothing points at it: that is one. */
#include "core_check.h"

void** volatile table;

static __attribute__((noinline)) void fill(void* block) { table[0] = block; }

static __attribute__((noinline)) void overwrite_stack(void) {
  volatile char rubbish[4096];
  for (size_t i = 0; i < sizeof rubbish; ++i) rubbish[i] = 0;
}

int main(int argc, char** argv) {
  table = tagged_malloc(64);
  fill(malloc(1000));
  if (argc > 1) fill(NULL);
  overwrite_stack();
  puts("leak: done");
  fflush(stdout); /* the sanitizer ends the program by itself */
  return kProperExit;
}
