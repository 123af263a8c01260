// exit: 0
// Threads of a child that no fork handler saw: the first of them to come puts the
// arena in order, and no two of them ever own the same block.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

enum { kRounds = 300000, kBytes = 40 };

static pthread_barrier_t arena_in_order, both_ready, end;

static int all_are(const unsigned char* block, unsigned char value) {
  for (int i = 0; i < kBytes; ++i)
    if (block[i] != value) return 0;
  return 1;
}

static void own_blocks(unsigned char mark) {
  for (int i = 0; i < kRounds; ++i) {
    unsigned char* block = tagged_malloc(kBytes);
    CHECK(all_zero(block, kBytes));
    memset(block, mark, kBytes);
    CHECK(all_are(block, mark));
    free(block);
  }
}

/* Lives to the end: its place must not go to the other thread. */
static void* comes_first(void* unused) {
  free(tagged_malloc(9000));
  pthread_barrier_wait(&arena_in_order);
  pthread_barrier_wait(&end);
  return unused;
}

static void* owns_blocks(void* unused) {
  free(tagged_malloc(kBytes));
  pthread_barrier_wait(&both_ready);
  own_blocks(2);
  return unused;
}

static void run_threads(void) {
  pthread_t first, second;
  CHECK(pthread_create(&first, NULL, comes_first, NULL) == 0);
  pthread_barrier_wait(&arena_in_order);
  CHECK(pthread_create(&second, NULL, owns_blocks, NULL) == 0);
  pthread_barrier_wait(&both_ready);
  own_blocks(1);
  CHECK(pthread_join(second, NULL) == 0);
  pthread_barrier_wait(&end);
  CHECK(pthread_join(first, NULL) == 0);
}

int main(void) {
  pthread_barrier_init(&arena_in_order, NULL, 2);
  pthread_barrier_init(&both_ready, NULL, 2);
  pthread_barrier_init(&end, NULL, 2);
  for (int i = 0; i < 5; ++i) free(tagged_malloc(kBytes));
  const pid_t child = _Fork();
  if (child == 0) {
    run_threads();
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  return 0;
}
