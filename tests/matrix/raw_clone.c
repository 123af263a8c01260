/* SPDX-License-Identifier: Apache-2.0 */
/* A child by _Fork or by the bare system call: no fork handler runs in it, so
   nothing locks its copy. It works, and is not taken for a fenced process. */
#include <signal.h>
#include <sys/syscall.h>

#include "core_check.h"

static pid_t make_child(const char* how) {
  if (strcmp(how, "_Fork") == 0) return _Fork();
  return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static void work(unsigned char* secret) {
  CHECK(holds_secret(secret, 64));
  unsigned char* more = tagged_malloc(300);
  memset(more, kSecret, 300);
  more = realloc(more, 2000);
  CHECK(holds_secret(more, 300));
  free(more);
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  unsigned char* secret = new_secret(64);
  const pid_t child = make_child(argv[1]);
  CHECK(child >= 0);
  if (child == 0) {
    work(secret);
    hold();
    _exit(kProperExit);
  }
  CHECK(wait_for(child) == kProperExit);
  CHECK(is_fenced(secret) && holds_secret(secret, 64));
  core_check();
  return core_done();
}
