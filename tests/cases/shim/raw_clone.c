// exit: 0
// A raw clone runs no fork handler: the child's copy is not locked, but it must
// go on allocating, even if another thread held the arena's lock at that moment.
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

static volatile int stop;

static void* hammer(void* unused) {
  while (!stop) {
    void* blocks[40];
    for (int i = 0; i < 40; ++i) blocks[i] = tagged_malloc(300);
    for (int i = 0; i < 40; ++i) free(blocks[i]);
  }
  return unused;
}

int main(void) {
  pthread_t thread;
  unsigned char* secret = tagged_malloc(64);
  memset(secret, 0xa5, 64);
  pthread_create(&thread, NULL, hammer, NULL);
  for (int round = 0; round < 200; ++round) {
    const long child = syscall(SYS_clone, 17 /* SIGCHLD */, 0, 0, 0, 0);
    if (child == 0) {
      for (int i = 0; i < 100; ++i) tagged_malloc(300);
      const int good = secret[0] == 0xa5;
      free(secret);
      _exit(good ? 0 : 1);
    }
    int status;
    CHECK(waitpid((pid_t)child, &status, 0) == child && status == 0);
  }
  stop = 1;
  pthread_join(thread, NULL);
  return 0;
}
