// exit: 0
// policy: pin_process.yaml
// A pinned process in a sandbox that ends it for any call about locks, and for opening
// files, and advice of the shim's own: threads, the heap, mappings and children work, and
// nothing of that is called. Under the strictest of sandboxes the heap works.
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "../../matrix/filter.h"
#include "pins.h"

#define KILL(call) \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 1), RETURN(SECCOMP_RET_KILL_PROCESS)

static struct sock_filter filter[] = {
    X86_64_ONLY,   KILL(mlock),  KILL(mlock2), KILL(munlock), KILL(mlockall),
    KILL(munlockall), KILL(openat), KILL(mincore), KILL(prlimit64),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_madvise, 0, 3),
    FIELD(args[2]),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MADV_DONTNEED, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    RETURN(SECCOMP_RET_ALLOW),
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
  /* The kernel does not discard locked pages. */
  if (madvise(mapped, 1 << 20, MADV_DONTNEED) == 0)
    CHECK(mapped[0] == 0);
  else
    CHECK(errno == EINVAL && mapped[0] == 1);
  CHECK(munmap(mapped, 1 << 20) == 0);
  dlsym(RTLD_DEFAULT, "main");
}

static void in_grandchild(void) {
  use_everything();
  in_child(use_everything);
}

static void in_strict_mode(void) {
  free(malloc(5000));
  CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
  for (int i = 0; i < 500; ++i) free(malloc(40));
  syscall(SYS_exit, 0);
}

int main(void) {
  CHECK(pinned_bytes() > 0);
  in_child(in_strict_mode);
  INSTALL(filter);
  use_everything();
  in_child(in_grandchild);
  return 0;
}
