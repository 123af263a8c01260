// exit: 0
// A fenced block stays fenced wherever it is resized, and what it left is wiped.
#include <malloc.h>

#include "case.h"

int main(void) {
  unsigned char* secret = tagged_malloc(40);
  memset(secret, 0xa5, 40);
  for (size_t n = 41; n < 20000; n = n * 3 / 2) {
    unsigned char* volatile old = secret;
    const size_t before = malloc_usable_size(secret);
    secret = realloc(secret, n);
    CHECK(is_fenced(secret) && malloc_usable_size(secret) == n);
    for (int i = 0; i < 40; ++i) CHECK(secret[i] == 0xa5);
    if (old != secret) CHECK(all_zero(old, before));
    else CHECK(all_zero(secret + before, n - before));
    CHECK(all_zero(secret + 40, n - 40));
  }
  secret = realloc(secret, 20);
  for (int i = 0; i < 20; ++i) CHECK(secret[i] == 0xa5);
  secret[19] = 1;
  CHECK(malloc_usable_size(secret) == 20);
  CHECK(realloc(secret, 0) == NULL);
  return 0;
}
