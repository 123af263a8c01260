/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that all call first at once get one arena between them. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"
#include "preload/pagewarden.h"

enum { kRaces = 200, kThreads = 8, kBytes = 64 };

static pthread_barrier_t barrier;

static void* call_first(void* unused) {
  (void)unused;
  pthread_barrier_wait(&barrier);
  return pagewarden_alloc(NULL, kBytes);
}

/* In a process of its own: a first call cannot be repeated. */
static int race_once(void) {
  pthread_t threads[kThreads];
  void* blocks[kThreads];
  CHECK(pthread_barrier_init(&barrier, NULL, kThreads) == 0);
  for (int i = 0; i < kThreads; ++i)
    CHECK(pthread_create(&threads[i], NULL, call_first, NULL) == 0);
  for (int i = 0; i < kThreads; ++i) CHECK(pthread_join(threads[i], &blocks[i]) == 0);
  struct pagewarden_usage usage;
  CHECK(pagewarden_query(NULL, &usage) == 0 && usage.locked_bytes == 1 << 20);
  CHECK(usage.live_allocations == kThreads && usage.fallbacks == 0);
  for (int i = 0; i < kThreads; ++i) {
    CHECK(is_fenced(blocks[i]));
    pagewarden_free(blocks[i]);
  }
  return 0;
}

int main(void) {
  for (int race = 0; race < kRaces; ++race) {
    const pid_t child = fork();
    if (child == 0) _exit(race_once());
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
  }
  return 0;
}
