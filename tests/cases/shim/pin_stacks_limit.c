// exit: 0
// without: ipc_lock
// memlock: 393216
// policy: pin_stacks.yaml
// Stacks that the limit does not allow for are locked at their top, or not at all:
// the threads start, the main stack grows, and what is missing is counted.
#include <pthread.h>

#include "pins.h"

enum { kThreads = 8, kPinned = 256 << 10 };

static pthread_barrier_t all_here;

static void* work(void* argument) {
  const int depth = descend(1 << 20);
  pthread_barrier_wait(&all_here);
  pthread_barrier_wait(&all_here);
  return depth > 0 ? argument : NULL;
}

int main(void) {
  pthread_t threads[kThreads];
  CHECK(pthread_barrier_init(&all_here, NULL, kThreads + 1) == 0);
  for (int i = 0; i < kThreads; ++i)
    CHECK(pthread_create(&threads[i], NULL, work, &threads[i]) == 0);
  pthread_barrier_wait(&all_here);
  CHECK(pinned_bytes() == (unsigned long)locked_bytes() && pinned_bytes() > kPinned);
  CHECK(pinned_bytes() <= 393216);
  CHECK(pinned_bytes() + unpinned_bytes() >= (kThreads + 1) * kPinned);
  pthread_barrier_wait(&all_here);
  for (int i = 0; i < kThreads; ++i) {
    void* result = NULL;
    CHECK(pthread_join(threads[i], &result) == 0 && result == &threads[i]);
  }
  CHECK(descend(6 << 20) > 0);
  return 0;
}
