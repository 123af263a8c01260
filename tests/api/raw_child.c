/* SPDX-License-Identifier: Apache-2.0 */
/* Locks are not inherited: a child of fork(2) has locked again, one of a raw
   clone(2) has not, and is told so. */
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"
#include "preload/pagewarden.h"

static void expect_child(pid_t child, const void* secret, int locked) {
  struct pagewarden_usage usage;
  if (child == 0) {
    CHECK(has_flag(secret, " lo") == locked);
    CHECK(pagewarden_is_locked(secret) == locked);
    CHECK(pagewarden_query(NULL, &usage) == 0 && (usage.locked_bytes != 0) == locked);
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

int main(void) {
  void* secret = pagewarden_alloc(NULL, 64);
  expect_child(fork(), secret, 1);
  expect_child((pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0), secret, 0);
  CHECK(pagewarden_is_locked(secret) == 1);
  pagewarden_free(secret);
  return 0;
}
