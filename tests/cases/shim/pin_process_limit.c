// exit: 0
// without: ipc_lock
// memlock: 1048576
// policy: pin_process.yaml
// Under a limit below its address space the process works as before, with as much
// locked as fits, and an account of the rest: mlockall would break it.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>

#include "pins.h"

enum { kLimit = 1 << 20, kLarge = 16 << 20 };

static char data[20000] = {1};

static void check(void) {
  CHECK(is_locked(data));
  CHECK(pinned_bytes() > 200 << 10 && pinned_bytes() <= (unsigned long)locked_bytes());
  CHECK(locked_bytes() <= kLimit);
}

static void* work(void* argument) {
  char* block = malloc(kLarge);
  CHECK(block != NULL && descend(1 << 20) > 0);
  memset(block, 1, kLarge);
  free(block);
  return argument;
}

/* The control: what the program would get from mlockall. */
static void check_mlockall(void) {
  CHECK(mlockall(MCL_CURRENT) == -1);
  CHECK(mlockall(MCL_FUTURE) == 0);
  CHECK(mmap(NULL, kLarge, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}

int main(void) {
  pthread_t threads[4];
  check();
  for (int i = 0; i < 4; ++i) CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0);
  for (int i = 0; i < 4; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  char* mapped = mmap(NULL, kLarge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(mapped != MAP_FAILED);
  CHECK(unpinned_bytes() >= kLarge - kLimit);
  CHECK(madvise(mapped, kLarge, MADV_DONTNEED) == 0);
  for (int i = 0; i < 1000; ++i) CHECK(malloc(10000) != NULL);
  CHECK(descend(6 << 20) > 0);
  dlsym(RTLD_DEFAULT, "main");  /* the shim looks anew at what the C library has given back */
  check();
  in_child(check);
  in_child(check_mlockall);
  return 0;
}
