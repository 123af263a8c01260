// exit: 0
// Locks are not inherited: the child must have its own before it does anything.
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

int main(void) {
  unsigned char* secret = tagged_malloc(64);
  memset(secret, 0xa5, 64);
  for (int generation = 0; generation < 3; ++generation) {
    const pid_t child = fork();
    if (child != 0) {
      int status;
      CHECK(waitpid(child, &status, 0) == child);
      return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
    }
    CHECK(is_fenced(secret));
    CHECK(secret[0] == 0xa5 && secret[63] == 0xa5);
    void* more = tagged_malloc(100);
    CHECK(is_fenced(more));
    free(more);
  }
  free(secret);
  return 0;
}
