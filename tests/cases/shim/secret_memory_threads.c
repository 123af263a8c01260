// exit: 0
// policy: secret_memory.yaml
// The child's copy of secret memory is made while another thread goes on: what
// that thread frees meanwhile is free in its magazines, but live in the copy.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

enum { kForks = 100, kSizes = 8, kRounds = 15 };

static volatile int stop;

static void* hammer(void* unused) {
  while (!stop) {
    void* blocks[kSizes];
    for (int i = 0; i < kSizes; ++i) blocks[i] = tagged_malloc(40 + i * 16);
    for (int i = 0; i < kSizes; ++i) free(blocks[i]);
  }
  return unused;
}

/* In the child, this thread may take over what the hammer left behind. */
static void* empty_magazines(void* unused) {
  for (int i = 0; i < kSizes; ++i)
    for (int round = 0; round < kRounds; ++round) tagged_malloc(40 + i * 16);
  return unused;
}

static void allocate_in_new_thread(void) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, empty_magazines, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
}

int main(void) {
  pthread_t thread;
  tagged_malloc(40); /* the main thread comes first */
  CHECK(pthread_create(&thread, NULL, hammer, NULL) == 0);
  usleep(10000);
  for (int i = 0; i < kForks; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      allocate_in_new_thread();
      _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
  }
  stop = 1;
  CHECK(pthread_join(thread, NULL) == 0);
  return 0;
}
