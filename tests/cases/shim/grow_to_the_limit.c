// exit: 0
// policy: grow.yaml
// without: ipc_lock
// memlock: 262144
// Growth stops at the limit, and what is left over goes to the next allocator.
#include "case.h"

int main(void) {
  enum { kBlocks = 10000 };
  int locked = 0;
  for (int i = 0; i < kBlocks; ++i) {
    char* block = tagged_malloc(500);
    CHECK(block != NULL);
    if (i % 50 == 0) locked += is_fenced(block);
  }
  printf("%d of 200 samples locked\n", locked);
  CHECK(locked >= 8 && locked <= 11);  /* 256 KiB are 504 slots of 520 bytes and less */
  return 0;
}
