/* SPDX-License-Identifier: Apache-2.0 */
/* Two paths to one call of malloc, four frames deep. */
#include <stdlib.h>

#define FRAME __attribute__((noinline, visibility("default")))
#define NO_TAIL_CALL(p) __asm__ volatile("" : "+r"(p))

FRAME void* site(size_t bytes) {
  void* p = malloc(bytes);
  NO_TAIL_CALL(p);
  return p;
}

FRAME void* left(size_t bytes) {
  char large[3000];
  __asm__ volatile("" : : "r"(large) : "memory");
  void* p = site(bytes);
  NO_TAIL_CALL(p);
  return p;
}

/* Its frame is of a size that only it knows, so it has a frame pointer. */
FRAME void* right(size_t bytes) {
  char varying[bytes];
  __asm__ volatile("" : : "r"(varying) : "memory");
  void* p = site(bytes);
  NO_TAIL_CALL(p);
  return p;
}

FRAME void* by_left(size_t bytes) {
  void* p = left(bytes);
  NO_TAIL_CALL(p);
  return p;
}

FRAME void* by_right(size_t bytes) {
  void* p = right(bytes);
  NO_TAIL_CALL(p);
  return p;
}
