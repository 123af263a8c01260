// exit: 0
// policy: fork_exclude.yaml secret_exclude.yaml
// The child of fork has no such memory, but the fence has no hole either: what
// the child maps next is not taken for a block of the arena.
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

enum { kMapped = 150000, kMore = 200000 }; /* glibc maps blocks of this size */

static void map_and_move(void) {
  for (int i = 0; i < 8; ++i) {
    char* plain = malloc(kMapped);
    CHECK(plain != NULL);
    memset(plain, 1, kMapped);
    plain = realloc(plain, kMore);
    CHECK(plain != NULL && plain[kMapped - 1] == 1);
  }
}

int main(void) {
  CHECK(is_fenced(tagged_malloc(64)));
  const pid_t child = fork();
  if (child == 0) {
    map_and_move();
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  return 0;
}
