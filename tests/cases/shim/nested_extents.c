// exit: 0
// More extents inside each other than a thread has records for: the outer ones
// cover the inner, and all end when they end.
#include "case.h"

struct level {
  int depth;
  void* block;
};

static void descend(void* data) {
  struct level* level = data;
  if (level->depth-- > 0) tagged(descend, level);
  else level->block = malloc(64);
  void* here = malloc(16);
  CHECK(has_flag(here, " dd"));
  free(here);
}

int main(void) {
  for (int depth = 1; depth < 40; depth += 3) {
    struct level level = {depth, NULL};
    tagged(descend, &level);
    CHECK(is_fenced(level.block));
    free(level.block);
    void* plain = malloc(16);
    CHECK(!is_fenced(plain));
    free(plain);
  }
  return 0;
}
