/* SPDX-License-Identifier: Apache-2.0 */
/* What the cases about pins share: what the kernel says is locked, how deep the main
   stack goes, and what a child finds. */
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

/* The ledger's (libcaseledger.cc). */
unsigned long pinned_bytes(void);
unsigned long unpinned_bytes(void);

/* In libcasepool.so: it calls mmap and its kin itself. */
void* pool_map(size_t bytes, int protection);
int pool_protect(void* at, size_t bytes, int protection);
int pool_unmap(void* at, size_t bytes);
void* pool_remap(void* at, size_t before, size_t after);
int pool_advise(void* at, size_t bytes, int advice);

static inline int is_locked(const volatile void* p) { return has_flag((const void*)p, " lo") == 1; }

/* VmLck, in bytes. */
static inline long locked_bytes(void) {
  FILE* status = fopen("/proc/self/status", "r");
  char line[256];
  long kib = -1;
  while (fgets(line, sizeof line, status) != NULL) sscanf(line, "VmLck: %ld", &kib);
  fclose(status);
  return kib * 1024;
}

/* Uses this much of the stack, a page a frame. */
static inline __attribute__((noinline)) int descend(long bytes) {
  volatile char page[4096];
  page[0] = 1;
  return bytes <= 0 ? page[0] : descend(bytes - (long)sizeof page) + page[0];
}

/* Runs check() in a child of fork; fails if the child does. */
static inline void in_child(void (*check)(void)) {
  int status;
  const pid_t child = fork();
  if (child == 0) {
    check();
    exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
