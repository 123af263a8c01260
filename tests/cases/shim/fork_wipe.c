// exit: 0
// policy: fork_wipe.yaml
// onFork: Wipe. The child reads zeros, may free what it inherited, and has locked
// memory of its own.
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

int main(void) {
  enum { kBytes = 64, kLargeBytes = 10000 };
  unsigned char* secret = tagged_malloc(kBytes);
  unsigned char* large = tagged_malloc(kLargeBytes);
  memset(secret, 0xa5, kBytes);
  memset(large, 0xa5, kLargeBytes);
  const pid_t child = fork();
  if (child != 0) {
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(secret[0] == 0xa5 && large[kLargeBytes - 1] == 0xa5);
    free(large);
    free(secret);
    return 0;
  }
  CHECK(all_zero(secret, kBytes) && all_zero(large, kLargeBytes));
  free(secret);
  large = realloc(large, 20000);
  CHECK(all_zero(large, 20000));
  unsigned char* fresh = tagged_malloc(kBytes);
  CHECK(is_fenced(fresh) && fresh != secret);
  memset(fresh, 0x5a, kBytes);
  free(fresh);
  CHECK(all_zero(fresh, kBytes));
  free(large);
  return 0;
}
