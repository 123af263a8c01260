// exit: 0
// policy: grow.yaml
// An arena of 64 KiB grows to hold a hundred thousand secrets and a large one,
// all locked, and merges into few mappings.
#include "case.h"

static int mappings(void) {
  FILE* maps = fopen("/proc/self/maps", "r");
  int count = 0;
  for (int c; (c = fgetc(maps)) != EOF;) count += c == '\n';
  fclose(maps);
  return count;
}

int main(void) {
  enum { kBlocks = 100000, kLarge = 3 << 20 };
  static char* blocks[kBlocks];
  const int before = mappings();
  for (int i = 0; i < kBlocks; ++i) {
    blocks[i] = tagged_malloc(64);
    CHECK(blocks[i] != NULL && all_zero(blocks[i], 64));
    memset(blocks[i], i | 1, 64);
  }
  char* large = tagged_malloc(kLarge);
  CHECK(all_zero(large, kLarge));
  CHECK(is_fenced(large) && is_fenced(large + kLarge - 1));
  for (int i = 0; i < kBlocks; i += 1000) CHECK(is_fenced(blocks[i]));
  CHECK(mappings() - before <= 3);
  free(large);
  for (int i = 0; i < kBlocks; ++i) {
    CHECK(blocks[i][63] == (char)(i | 1));
    free(blocks[i]);
  }
  return 0;
}
