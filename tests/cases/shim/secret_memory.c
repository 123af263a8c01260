// exit: 0
// policy: secret_memory.yaml
// memfd_secret(2): not even root reads it through /proc. It is a shared mapping,
// so the child gets a copy of its own, made before the fork.
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

static int can_be_read_through_proc(const void* p) {
  unsigned char byte;
  const int memory = open("/proc/self/mem", O_RDONLY);
  const ssize_t got = pread(memory, &byte, 1, (off_t)(uintptr_t)p);
  close(memory);
  return got == 1;
}

static int kernel_has_it(void) {
  const long fd = syscall(447 /* memfd_secret */, 0);
  if (fd >= 0) close((int)fd);
  return fd >= 0;
}

int main(void) {
  unsigned char* secret = tagged_malloc(64);
  memset(secret, 0xa5, 64);
  CHECK(is_fenced(secret));
  CHECK(can_be_read_through_proc(secret) == !kernel_has_it());
  const pid_t child = fork();
  if (child == 0) {
    CHECK(is_fenced(secret) && secret[63] == 0xa5);
    memset(secret, 0x5a, 64);
    free(secret);
    void* fresh = tagged_malloc(100);
    CHECK(is_fenced(fresh));
    free(fresh);
    return 0;
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  for (int i = 0; i < 64; ++i) CHECK(secret[i] == 0xa5);  /* not the child's */
  free(secret);
  return 0;
}
