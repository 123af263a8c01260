/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of sshd's sandbox before login (sandbox-seccomp-filter.c of
   OpenSSH): memory calls with their arguments checked, no mlock at all, and
   the limits NOFILE, FSIZE, NPROC lowered to nothing. "late": as in seccomp_kill.c. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "core_check.h"
#include "filter.h"

#define ARGUMENT(n) FIELD(args[n])
/* Allows `call` when argument n has no bit outside of mask. */
#define ALLOW_MASKED(call, n, mask)                                                             \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 4), ARGUMENT(n),                          \
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, ~(unsigned)(mask), 1, 0), RETURN(SECCOMP_RET_ALLOW), \
      RETURN(SECCOMP_RET_KILL_PROCESS)

static struct sock_filter filter[] = {
    X86_64_ONLY,
    FAIL(open, EACCES),
    FAIL(openat, EACCES),
    FAIL(newfstatat, EACCES),
    FAIL(ioctl, EINVAL),
    ALLOW(brk),
    ALLOW(clock_gettime),
    ALLOW(close),
    ALLOW(exit),
    ALLOW(exit_group),
    ALLOW(futex),
    ALLOW(getpid),
    ALLOW(getrandom),
    ALLOW(gettimeofday),
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(poll),
    ALLOW(read),
    ALLOW(rt_sigprocmask),
    ALLOW(shutdown),
    ALLOW(write),
    ALLOW(writev),
    ALLOW(fstat),
    ALLOW_MASKED(mprotect, 2, PROT_READ | PROT_WRITE),
    ALLOW_MASKED(mmap, 2, PROT_READ | PROT_WRITE),
    RETURN(SECCOMP_RET_KILL_PROCESS),
};

static void lower(int resource, rlim_t limit) {
  const struct rlimit none = {limit, limit};
  CHECK(setrlimit(resource, &none) == 0);
}

static void keys(void* unused) {
  unsigned char* held[200];
  for (int i = 0; i < 200; ++i) held[i] = memset(malloc(16 + i * 3), kSecret, 16 + i * 3);
  for (int i = 0; i < 200; ++i) {
    held[i] = realloc(held[i], 32 + i * 4);
    CHECK(holds_secret(held[i], 16 + i * 3));
  }
  for (int i = 0; i < 200; ++i) {
    free(held[i]);
    CHECK(all_zero(held[i], 16));
  }
}

int main(int argc, char** argv) {
  unsigned char* host_key = new_secret(1700);
  lower(RLIMIT_FSIZE, 0);
  lower(RLIMIT_NOFILE, 1);
  lower(RLIMIT_NPROC, 0);
  INSTALL(filter);
  CHECK(holds_secret(host_key, 1700));
  for (int i = 0; i < 50; ++i) tagged(keys, NULL);
  for (int i = 0; i < 100; ++i) free(malloc(1 << i % 22));
  free(host_key);
  CHECK(all_zero(host_key, 1700));
  if (argc > 1) mlock(&filter, 1);
  return core_done();
}
