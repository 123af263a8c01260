/* SPDX-License-Identifier: Apache-2.0 */
/* After start-up, a filter that kills at any memory call: no mmap, mprotect,
   madvise, brk, mlock. With "late", one mlock proves that it bites. */
#include <sys/mman.h>

#include "core_check.h"
#include "filter.h"

static struct sock_filter filter[] = {
    X86_64_ONLY,
    ALLOW(read),
    ALLOW(write),
    ALLOW(openat),
    ALLOW(close),
    ALLOW(fstat),
    ALLOW(newfstatat),
    ALLOW(lseek),
    ALLOW(futex),
    ALLOW(rt_sigreturn),
    ALLOW(exit),
    ALLOW(exit_group),
    RETURN(SECCOMP_RET_KILL_PROCESS),
};

static void churn(void* unused) {
  unsigned char* held[64] = {0};
  for (int i = 0; i < 5000; ++i) {
    unsigned char** slot = &held[i * 7 % 64];
    if (i % 3 == 0)
      *slot = realloc(*slot, 1 + i % 900);
    else
      free(*slot), *slot = malloc(1 + i % 700);
    CHECK(*slot != NULL);
    **slot = kSecret;
  }
  CHECK(is_fenced(held[1]));
  for (int i = 0; i < 64; ++i) free(held[i]);
}

int main(int argc, char** argv) {
  unsigned char* early = new_secret(64);
  free(malloc(100000)); /* libc keeps this much at hand, without brk */
  INSTALL(filter);
  CHECK(is_fenced(early) && holds_secret(early, 64));
  early = realloc(early, 300);
  CHECK(is_fenced(early) && holds_secret(early, 64));
  free(early);
  CHECK(all_zero(early, 64));
  check_life();
  tagged(churn, NULL);
  char* untagged = malloc(1000);
  CHECK(!is_fenced(untagged));
  free(untagged);
  if (argc > 1) mlock(&filter, 1);
  return core_done();
}
