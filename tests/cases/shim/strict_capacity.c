// exit: 0
// policy: strict.yaml
// onCapacityExhausted: Fail. A full arena is out of memory, nothing else is.
#include <errno.h>

#include "case.h"

int main(void) {
  int count = 0;
  errno = 0;
  for (void* secret; (secret = tagged_malloc(64)) != NULL; ++count) CHECK(has_flag(secret, " dd"));
  CHECK(errno == ENOMEM && count == 816);  /* 51 slots of 80 bytes on each of 16 pages */
  CHECK(tagged_malloc(1 << 20) == NULL);
  void* plain = malloc(1 << 20);
  CHECK(plain != NULL);
  free(plain);
  return 0;
}
