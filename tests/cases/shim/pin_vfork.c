// SPDX-License-Identifier: Apache-2.0
// exit: 0
// policy: pin_process.yaml
// What enters no sandbox and takes no right away leaves the pins as they are: questions,
// calls that fail, and what a vfork child does to itself.
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "../../matrix/filter.h"
#include "pins.h"

static struct sock_filter allow_all[] = {RETURN(SECCOMP_RET_ALLOW)};

/* By the C library, so nothing but MCL_FUTURE locks it at once. */
static int locks_what_comes(void) {
  char* block = malloc(4 << 20);
  memset(block, 1, 4 << 20);
  const int locked = is_locked(block + (2 << 20));
  free(block);
  return locked;
}

static void ask(void) {
  struct rlimit limit;
  unsigned action = SECCOMP_RET_ALLOW;
  CHECK(prlimit(0, RLIMIT_MEMLOCK, NULL, &limit) == 0);
  CHECK(syscall(SYS_prlimit64, 0, RLIMIT_MEMLOCK, NULL, &limit) == 0);
  CHECK(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0);
}

static void fail(void) {
  CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) == -1);
  CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) == -1);
}

static void spawn(void) {
  const struct sock_fprog program = {1, allow_all};
  const pid_t child = vfork();
  if (child == 0) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (setuid(65534) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) _exit(1);
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void check_child(void) { CHECK(pinned_bytes() > 0 && locked_bytes() > 0); }

int main(void) {
  if (geteuid() != 0 || !locks_what_comes()) return 0;  /* under a limit */
  ask();
  CHECK(locks_what_comes());
  fail();
  CHECK(locks_what_comes());
  spawn();
  CHECK(locks_what_comes());
  in_child(check_child);
  return 0;
}
