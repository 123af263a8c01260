// exit: 0
// A full arena leaves the rest to the next allocator: the program goes on, and
// what is outside is really outside, never an unlocked part of the arena.
#include "case.h"

int main(void) {
  enum { kBlocks = 5000 };
  static void* blocks[kBlocks];
  int fenced = 0, outside = 0;
  for (int i = 0; i < kBlocks; ++i) {
    blocks[i] = tagged_malloc(64);
    memset(blocks[i], 0xa5, 64);
  }
  for (int i = 0; i < kBlocks; i += 50)
    *(has_flag(blocks[i], " dd") ? &fenced : &outside) += is_fenced(blocks[i]) ? 1 : 1;
  CHECK(fenced > 60 && outside > 10);
  for (int i = 0; i < kBlocks; ++i) free(blocks[i]);
  CHECK(is_fenced(tagged_malloc(64)));
  void* huge = tagged_malloc(1 << 20);
  CHECK(huge != NULL && !is_fenced(huge));
  free(huge);
  return 0;
}
