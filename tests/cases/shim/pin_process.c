// exit: 0
// policy: pin_process.yaml
// Where nothing limits it, the whole process is locked, now and later, in children
// too. A change of user, after which the limit holds, breaks nothing.
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "pins.h"

static char data[20000] = {1};

/* What the C library maps, and reservations, are locked by mlockall and in no book. */
static void discards(char* at, size_t bytes) {
  errno = 0;
  CHECK(is_locked(at) && madvise(at, bytes, MADV_DONTNEED) == 0 && errno == 0);
}

static void discard_unbooked(void) {
  enum { kBytes = 4 << 20 };
  char* block = aligned_alloc(4096, kBytes);
  char* reserved = mmap(NULL, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(block, 0xa5, kBytes);
  discards(block, kBytes);
  discards(reserved, kBytes);
  CHECK(all_zero(block, kBytes));
  CHECK(madvise(block + 1, 4096, MADV_DONTNEED) == -1 && errno == EINVAL);
  CHECK(munmap(reserved, kBytes) == 0);
  free(block);
}

static void check(void) {
  discard_unbooked();
  char here;
  char* large = malloc(4 << 20);
  char* small = malloc(64);
  char* mapped = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(is_locked(data) && is_locked(&here) && is_locked(small) && is_locked(large));
  CHECK(is_locked(mapped) && is_locked(check));
  CHECK(madvise(mapped, 65536, MADV_DONTNEED) == 0);
  CHECK(munmap(mapped, 65536) == 0);
  CHECK(pinned_bytes() > 0 && pinned_bytes() <= (unsigned long)locked_bytes());
  free(large);
  free(small);
}

static void* check_thread(void* argument) {
  check();
  return argument;
}

static void* use_memory(void* argument) {
  for (int i = 0; i < 64; ++i) {
    char* block = malloc(1 << 20);
    CHECK(block != NULL);
    memset(block, 1, 1 << 20);
    free(block);
  }
  CHECK(descend(1 << 20) > 0);
  return argument;
}

/* As nobody, under a limit far below what is locked already. */
static void change_user(void) {
  const struct rlimit limit = {65536, 65536};
  pthread_t thread;
  CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
  CHECK(setuid(65534) == 0);
  CHECK(is_locked(data));
  CHECK(pthread_create(&thread, NULL, use_memory, NULL) == 0 && pthread_join(thread, NULL) == 0);
  use_memory(NULL);
  for (int i = 0; i < 64; ++i) CHECK(malloc(100000) != NULL);  /* the heap grows */
  CHECK(descend(6 << 20) > 0);
  CHECK(is_locked(data) && unpinned_bytes() > 0);
}

int main(void) {
  pthread_t thread;
  check();
  CHECK(pthread_create(&thread, NULL, check_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
  in_child(check);
  CHECK(descend(6 << 20) > 0);
  if (geteuid() == 0) in_child(change_user);
  return 0;
}
