// exit: 0
// without: ipc_lock
// memlock: 65536
// Under a 64 KiB limit, which is what containers had for years, at least 760
// secrets of 64 bytes are locked, and none is in the arena but unlocked.
#include "case.h"

int main(void) {
  enum { kBlocks = 2000 };
  static char* blocks[kBlocks];
  char* low = NULL;
  int fenced = 0;
  for (int i = 0; i < kBlocks; ++i) blocks[i] = tagged_malloc(64);
  low = blocks[0];
  CHECK(is_fenced(low));
  for (int i = 0; i < kBlocks; ++i)
    if (blocks[i] >= low && blocks[i] < low + 65536) ++fenced;
  CHECK(is_fenced(blocks[fenced - 1]) && !has_flag(blocks[fenced], " dd"));
  printf("%d secrets of 64 bytes locked\n", fenced);
  CHECK(fenced >= 760);
  return 0;
}
