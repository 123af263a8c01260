// exit: 0
// policy: grow.yaml
// Two threads allocate, resize, and free for each other, and one forks, for some
// seconds (two, or as the argument says). At the end the books must balance.
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "case.h"
#include "preload/pagewarden.h"

enum { kThreads = 2, kPlaces = 256, kBurst = 500 };

struct block {
  size_t bytes;
  unsigned char* at;
};

static struct block* _Atomic places[kPlaces];
static time_t end;

static unsigned next(unsigned* state) { return *state = *state * 1664525u + 1013904223u; }

static size_t random_size(unsigned* state) {
  const unsigned kind = (next(state) >> 8) % 100;
  return (next(state) >> 8) % (kind < 80 ? 256 : kind < 99 ? 3000 : 30000);
}

static void check(const struct block* block) {
  for (size_t i = 0; i < block->bytes; ++i) CHECK(block->at[i] == (unsigned char)block->bytes);
}

static void fill(struct block* block, size_t bytes) {
  block->bytes = bytes;
  memset(block->at, (unsigned char)bytes, bytes);
}

static void resize(void* data) {
  struct block* block = ((void**)data)[0];
  unsigned char* at = realloc(block->at, *(size_t*)((void**)data)[1] + 1);
  CHECK(at != NULL);
  block->at = at;
}

static void step(unsigned* state) {
  struct block* mine = NULL;
  if (next(state) & 0x100) {
    mine = malloc(sizeof *mine);
    const size_t bytes = random_size(state);
    mine->at = tagged_malloc(bytes);
    CHECK(mine->at != NULL && all_zero(mine->at, bytes));
    fill(mine, bytes);
  }
  if (mine != NULL && next(state) & 0x100) {
    size_t bytes = random_size(state);
    void* arguments[] = {mine, &bytes};
    check(mine);
    tagged(resize, arguments);
    fill(mine, bytes);
  }
  struct block* other = atomic_exchange(&places[(next(state) >> 8) % kPlaces], mine);
  if (other == NULL) return;
  check(other);
  free(other->at);
  free(other);
}

static void fork_once(unsigned* state) {
  const pid_t child = fork();
  if (child == 0) {
    void* block = tagged_malloc(64);
    _exit(is_fenced(block) ? 0 : 1);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void* hammer(void* seed) {
  unsigned state = (unsigned)(uintptr_t)seed;
  while (time(NULL) < end) {
    for (int i = 0; i < kBurst; ++i) step(&state);
    if (seed == (void*)1) fork_once(&state);
  }
  return NULL;
}

int main(int argc, char** argv) {
  pthread_t threads[kThreads];
  struct pagewarden_usage usage;
  CHECK(pagewarden_present());
  end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 2);
  for (uintptr_t i = 0; i < kThreads; ++i)
    pthread_create(&threads[i], NULL, hammer, (void*)(i + 1));
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  for (int i = 0; i < kPlaces; ++i)
    if (places[i] != NULL) free(places[i]->at);
  CHECK(pagewarden_query(NULL, &usage) == 0);
  CHECK(usage.live_allocations == 0 && usage.used_bytes == 0 && usage.fallbacks == 0);
  CHECK(usage.locked_bytes == usage.capacity_bytes);
  printf("%zu KiB locked, nothing live\n", usage.locked_bytes / 1024);
  return 0;
}
