// exit: 0
// without: ipc_lock
// memlock: 65536
// Under a 64 KiB limit, which is what containers had for years, at least 760
// secrets of 64 bytes are locked, and none is in the arena but unlocked.
#include "case.h"

/* The mapping of p: 1 if the kernel holds it locked. */
static int mapping_of(const void* p, uintptr_t* start, uintptr_t* end) {
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[512];
  while (fgets(line, sizeof line, maps) != NULL)
    if (sscanf(line, "%lx-%lx ", start, end) == 2 && (uintptr_t)p >= *start && (uintptr_t)p < *end)
      break;
  fclose(maps);
  return is_fenced(p);
}

int main(void) {
  enum { kBlocks = 2000 };
  static char* blocks[kBlocks];
  uintptr_t start = 0, end = 0;
  int locked = 0;
  for (int i = 0; i < kBlocks; ++i) blocks[i] = tagged_malloc(64);
  CHECK(mapping_of(blocks[0], &start, &end) && end - start <= 65536);
  for (int i = 0; i < kBlocks; ++i) {
    const int in_arena = (uintptr_t)blocks[i] >= start && (uintptr_t)blocks[i] < end;
    CHECK(in_arena || !has_flag(blocks[i], " dd"));  /* an arena's page is never unlocked */
    locked += in_arena;
  }
  printf("%d secrets of 64 bytes locked\n", locked);
  CHECK(locked >= 760);
  return 0;
}
