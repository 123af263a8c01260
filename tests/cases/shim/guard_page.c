// exit: SIGSEGV
// Reading on from a block leaves the arena through its guard page.
#include "case.h"

int main(void) {
  volatile unsigned char* p = tagged_malloc(64);
  volatile unsigned char sum = 0;
  for (long i = 0; i < 1 << 20; ++i) sum += p[i];
  return 0;
}
