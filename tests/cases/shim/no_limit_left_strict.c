// exit: 0
// without: ipc_lock
// memlock: 0
// policy: strict.yaml
// onLockFailure: Fail. No secret is handed out in memory that may be swapped.
#include <errno.h>

#include "case.h"

int main(void) {
  errno = 0;
  CHECK(tagged_malloc(64) == NULL && errno == ENOMEM);
  void* plain = malloc(64);
  CHECK(plain != NULL);
  free(plain);
  return 0;
}
