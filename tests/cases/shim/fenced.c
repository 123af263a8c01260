// exit: 0
// A tagged block is locked and undumpable, an untagged one is neither, and the
// tag ends with the function.
#include "case.h"

static void body(void* out) { *(void**)out = malloc(64); }

int main(void) {
  void *before = malloc(64), *secret;
  tagged(body, &secret);
  void* after = malloc(64);
  CHECK(is_fenced(secret));
  CHECK(!is_fenced(before) && !is_fenced(after));
  free(before), free(secret), free(after);
  return 0;
}
