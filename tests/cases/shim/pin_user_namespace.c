// SPDX-License-Identifier: Apache-2.0
// exit: 0
// memlock: 1048576
// policy: pin_process.yaml
// A user namespace takes the right to exceed the limit away: what the program maps from
// then on is not refused for it.
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "pins.h"

enum { kLarge = 64 << 20 };

static void check(void) {
  char* mapped = mmap(NULL, kLarge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(mapped != MAP_FAILED);
  CHECK(malloc(kLarge) != NULL);
  CHECK(unpinned_bytes() > 0);
}

static void by_function(void) {
  if (unshare(CLONE_NEWUSER) == 0) check();
}

static void by_number(void) {
  if (syscall(SYS_unshare, CLONE_NEWUSER) == 0) check();
}

int main(void) {
  in_child(by_function);
  in_child(by_number);
  return 0;
}
