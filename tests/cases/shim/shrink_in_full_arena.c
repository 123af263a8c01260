// exit: 0
// A block that shrinks, in an arena that has no room for a smaller one, stays
// where it is: it must not leave for ordinary memory.
#include <malloc.h>

#include "case.h"
#include "preload/pagewarden.h"

static void fill(size_t bytes) {
  while (pagewarden_is_locked(tagged_malloc(bytes))) {
  }
}

int main(void) {
  char* secret = tagged_malloc(20000);
  strcpy(secret, "secret");
  memset(secret + 100, 's', 19900);
  fill(8000);
  fill(100);
  char* shrunk = realloc(secret, 100);
  CHECK(shrunk == secret && is_fenced(shrunk) && strcmp(shrunk, "secret") == 0);
  CHECK(malloc_usable_size(shrunk) == 100);
  char* grown = realloc(shrunk, 1000); /* what was cut off is wiped */
  CHECK(grown == secret && is_fenced(grown) && all_zero(grown + 100, 900));
  free(grown);
  return 0;
}
