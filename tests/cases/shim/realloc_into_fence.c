// exit: 0
// An untagged block that is resized at a tagged site moves in, and its old
// place is wiped before the next allocator gets it back.
#include "case.h"

static void grow(void* block) { *(void**)block = realloc(*(void**)block, 300); }

int main(void) {
  unsigned char* plain = malloc(100);
  unsigned char* volatile old = plain;
  memset(plain, 0xa5, 100);
  tagged(grow, &plain);
  CHECK(plain != old && is_fenced(plain));
  for (int i = 0; i < 100; ++i) CHECK(plain[i] == 0xa5);
  int left = 0;
  for (int i = 16; i < 100; ++i) left += old[i] == 0xa5;  /* before: a free list's pointers */
  CHECK(left == 0);
  free(plain);
  return 0;
}
