// exit: 0
// A freed secret reads as zeros, small or large.
#include "case.h"

int main(void) {
  const size_t sizes[] = {1, 16, 64, 1000, 2032, 2033, 40000};
  for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
    unsigned char* volatile secret = tagged_malloc(sizes[i]);
    memset(secret, 0xa5, sizes[i]);
    free(secret);
    CHECK(all_zero(secret, sizes[i]));
  }
  return 0;
}
