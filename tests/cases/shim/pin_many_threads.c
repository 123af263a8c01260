// SPDX-License-Identifier: Apache-2.0
// exit: 0
// policy: pin_stacks.yaml
// Threads that are created faster than they start are all pinned, or counted.
#include <pthread.h>
#include <sched.h>

#include "pins.h"

enum { kThreads = 400, kStack = 512 << 10, kPinned = 256 << 10 };

static pthread_barrier_t barrier;

static void* wait_twice(void* argument) {
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  return argument;
}

int main(void) {
  cpu_set_t one_cpu;
  pthread_t threads[kThreads];
  pthread_attr_t attributes;
  CPU_ZERO(&one_cpu);
  CPU_SET(sched_getcpu(), &one_cpu);
  CHECK(sched_setaffinity(0, sizeof one_cpu, &one_cpu) == 0);
  CHECK(pthread_barrier_init(&barrier, NULL, kThreads + 1) == 0);
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstacksize(&attributes, kStack) == 0);
  for (int i = 0; i < kThreads; ++i)
    CHECK(pthread_create(&threads[i], &attributes, wait_twice, NULL) == 0);
  pthread_barrier_wait(&barrier);
  CHECK(pinned_bytes() <= (unsigned long)locked_bytes());
  CHECK(pinned_bytes() + unpinned_bytes() >= (unsigned long)kThreads * kPinned);
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < kThreads; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  return 0;
}
