// exit: 0
// policy: full_of_files.yaml
// A thread with as many secret files open as it has room for has extents of other rules
// all the same, however they begin.
#include <fcntl.h>
#include <unistd.h>

#include "case.h"

enum { kFiles = 9, kSmall = 8, kLarge = 64 };  /* preload/base/thread.h */

static int fences(void* (*allocate)(size_t), size_t bytes) {
  void* block = allocate(bytes);
  const int fenced = is_fenced(block);
  free(block);
  return fenced;
}

static void check_nested(void* data) {
  CHECK(fences(tagged_malloc, kLarge) && fences(malloc, kLarge));
}

int main(void) {
  int fds[kFiles];
  for (int i = 0; i < kFiles; ++i) CHECK((fds[i] = open("/dev/null", O_RDONLY)) >= 0);
  CHECK(fences(malloc, kSmall) && !fences(malloc, kLarge));
  CHECK(fences(tagged_malloc, kLarge) && !fences(malloc, kLarge));
  tagged(check_nested, NULL);
  CHECK(fences(malloc, kSmall) && !fences(malloc, kLarge));
  for (int i = 0; i < kFiles; ++i) CHECK(close(fds[i]) == 0);
  CHECK(!fences(malloc, kSmall));
  return 0;
}
