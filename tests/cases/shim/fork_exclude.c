// exit: 0
// policy: fork_exclude.yaml
// onFork: Exclude. The child has no such memory: touching it is SIGSEGV, freeing
// what it inherited does nothing, and what it allocates comes from elsewhere.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

static int status_of(void (*body)(unsigned char*), unsigned char* secret) {
  int status;
  const pid_t child = fork();
  if (child == 0) {
    body(secret);
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child);
  return status;
}

static void reads(unsigned char* secret) { *(volatile unsigned char*)secret; }

static void frees_and_allocates(unsigned char* secret) {
  free(secret);
  unsigned char* fresh = tagged_malloc(64);
  CHECK(fresh != NULL && !is_fenced(fresh));
  memset(fresh, 1, 64);
  free(fresh);
}

int main(void) {
  unsigned char* secret = tagged_malloc(64);
  memset(secret, 0xa5, 64);
  const int status = status_of(reads, secret);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
  CHECK(status_of(frees_and_allocates, secret) == 0);
  CHECK(is_fenced(secret) && secret[63] == 0xa5);
  free(secret);
  return 0;
}
