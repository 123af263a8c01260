// exit: 0
// policy: pin_process.yaml
// A pinned process in a sandbox that ends it for any call about locks, and for opening
// files: threads, the heap, mappings and children work, and nothing of that is called.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>

#include "../../matrix/filter.h"
#include "pins.h"

#define KILL(call) \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 1), RETURN(SECCOMP_RET_KILL_PROCESS)

static struct sock_filter filter[] = {
    X86_64_ONLY,   KILL(mlock),  KILL(mlock2), KILL(munlock), KILL(mlockall),
    KILL(munlockall), KILL(openat), KILL(mincore), KILL(prlimit64), RETURN(SECCOMP_RET_ALLOW),
};

static void* work(void* argument) {
  for (int i = 1; i < 200; ++i) free(malloc(i * 5000));
  return argument;
}

static void use_everything(void) {
  pthread_t thread;
  void* result;
  CHECK(pthread_create(&thread, NULL, work, &thread) == 0);
  CHECK(pthread_join(thread, &result) == 0 && result == &thread);
  for (int i = 0; i < 500; ++i) CHECK(malloc(10000) != NULL);
  char* mapped = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(mapped != MAP_FAILED && mapped[4096] == 0);
  mapped[0] = 1;
  CHECK(madvise(mapped, 1 << 20, MADV_DONTNEED) == 0 && mapped[0] == 0);
  CHECK(munmap(mapped, 1 << 20) == 0);
  dlsym(RTLD_DEFAULT, "main");
}

static void in_grandchild(void) {
  use_everything();
  in_child(use_everything);
}

int main(void) {
  CHECK(pinned_bytes() > 0);
  INSTALL(filter);
  use_everything();
  in_child(in_grandchild);
  return 0;
}
