// exit: 0
// calloc needs no clearing of its own, because free did it: also after reuse.
#include <malloc.h>

#include "case.h"

static void body(void* unused) {
  (void)unused;
  for (size_t n = 1; n < 5000; n += 37) {
    unsigned char* dirty = malloc(n);
    memset(dirty, 0xff, n);
    free(dirty);
    unsigned char* clean = calloc(1, n);
    CHECK(all_zero(clean, n) && malloc_usable_size(clean) == n);
    free(clean);
  }
}

int main(void) {
  tagged(body, NULL);
  return 0;
}
