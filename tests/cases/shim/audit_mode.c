// exit: 0
// policy: audit.yaml
// mode: Audit counts what Enforce would move, and moves nothing.
#include "case.h"

int main(void) {
  void* block = tagged_malloc(64);
  CHECK(block != NULL && !is_fenced(block));
  free(block);
  return 0;
}
