/* SPDX-License-Identifier: Apache-2.0 */
/* Goes into an empty directory, with no /proc and no library to be found, and
   becomes nobody. There it cannot look at its own locks: the cell does. With
   "child", a child of the jailed process is held instead. */
#include <grp.h>

#include "core_check.h"

enum { kNobody = 65534 };

static void enter(const char* directory) {
  CHECK(chdir(directory) == 0 && chroot(".") == 0);
  CHECK(setgroups(0, NULL) == 0 && setgid(kNobody) == 0 && setuid(kNobody) == 0);
  CHECK(access("/proc", F_OK) != 0);
}

static unsigned char* work(unsigned char* secret) {
  unsigned char* more = tagged_malloc(500);
  memset(more, kSecret, 500);
  secret = realloc(secret, 3000);
  CHECK(holds_secret(secret, 64));
  free(more);
  CHECK(all_zero(more, 500));
  return secret;
}

int main(int argc, char** argv) {
  CHECK(argc > 1);
  core_check();
  unsigned char* secret = new_secret(64);
  enter(argv[1]);
  secret = work(secret);
  if (argc > 2) {
    const pid_t child = fork();
    if (child != 0) return wait_for(child);
    secret = work(secret);
  }
  hold();
  free(secret);
  CHECK(all_zero(secret, 64));
  return core_done();
}
