// exit: 0
// policy: one_mebibyte.yaml
// Threads that have ended keep only a small part of the arena in their magazines.
#include <pthread.h>

#include "case.h"
#include "preload/pagewarden.h"

enum { kThreads = 62, kSizes = 12, kPages = 256, kLeft = 32 };

static pthread_barrier_t all_are_here;

static void* use_all_sizes(void* unused) {
  static const int sizes[kSizes] = {2000, 1300, 1000, 800, 650, 550, 490, 430, 380, 320, 280, 240};
  void* blocks[kSizes];
  for (int i = 0; i < kSizes; ++i) blocks[i] = tagged_malloc(sizes[i]);
  for (int i = 0; i < kSizes; ++i) free(blocks[i]);
  pthread_barrier_wait(&all_are_here);
  return unused;
}

int main(void) {
  pthread_t threads[kThreads];
  CHECK(pthread_barrier_init(&all_are_here, NULL, kThreads) == 0);
  for (int i = 0; i < kThreads; ++i)
    CHECK(pthread_create(&threads[i], NULL, use_all_sizes, NULL) == 0);
  for (int i = 0; i < kThreads; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  int locked = 0;
  while (locked < kPages && pagewarden_is_locked(tagged_malloc(3000))) ++locked;
  printf("%d pages of %d\n", locked, kPages);
  CHECK(locked >= kLeft);
  return 0;
}
