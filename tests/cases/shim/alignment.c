// exit: 0
// Every alignment up to the arena's, through every function that takes one.
#include <malloc.h>

#include "case.h"

static void check(void* block, size_t alignment, size_t bytes) {
  CHECK(block != NULL && (uintptr_t)block % alignment == 0);
  CHECK(malloc_usable_size(block) == bytes && has_flag(block, " dd"));
  memset(block, 0x5a, bytes);
  free(block);
}

static void body(void* unused) {
  (void)unused;
  for (size_t alignment = 8; alignment <= 65536; alignment *= 2)
    for (size_t bytes = 1; bytes <= 20000; bytes = bytes * 5 + 1) {
      void* block = NULL;
      CHECK(posix_memalign(&block, alignment, bytes) == 0);
      check(block, alignment, bytes);
      check(aligned_alloc(alignment, bytes), alignment, bytes);
      check(memalign(alignment, bytes), alignment, bytes);
    }
  check(valloc(100), 4096, 100);
  CHECK(posix_memalign(&(void*){0}, 3, 8) != 0);
}

int main(void) {
  tagged(body, NULL);
  return 0;
}
