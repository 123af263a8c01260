/* SPDX-License-Identifier: Apache-2.0 */
/* Says of each path whether what it allocates is fenced, for stack_test.py. */
#include "case.h"

extern void* site(size_t bytes);
extern void* left(size_t bytes);
extern void* right(size_t bytes);
extern void* by_left(size_t bytes);
extern void* by_right(size_t bytes);

static void say(const char* name, void* (*path)(size_t)) {
  int fenced = 0;
  for (int i = 0; i < 3; ++i) {
    void* p = path(64);
    fenced += is_fenced(p);
    free(p);
  }
  printf("%s %s\n", name, fenced == 3 ? "fenced" : fenced == 0 ? "plain" : "both");
}

int main(void) {
  say("site", site);
  say("left", left);
  say("right", right);
  say("by_left", by_left);
  say("by_right", by_right);
  return 0;
}
