/* SPDX-License-Identifier: Apache-2.0 */
/* The core of every cell: what the shim promises a tagged block, checked from
   inside. Ends the program with 1 and a message where a promise is broken. */
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

enum { kSecret = 0xa5, kProperExit = 7 };

static inline unsigned char* new_secret(size_t bytes) {
  unsigned char* secret = (unsigned char*)tagged_malloc(bytes);
  CHECK(secret != NULL && is_fenced(secret));
  memset(secret, kSecret, bytes);
  return secret;
}

static inline int holds_secret(const unsigned char* block, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i)
    if (block[i] != kSecret) return 0;
  return 1;
}

/* Data survive realloc, the block stays fenced, and free wipes it. */
static inline void check_life(void) {
  unsigned char* secret = new_secret(48);
  secret = (unsigned char*)realloc(secret, 3000);
  CHECK(secret != NULL && is_fenced(secret) && holds_secret(secret, 48));
  memset(secret, kSecret, 3000);
  secret = (unsigned char*)realloc(secret, 32);
  CHECK(secret != NULL && is_fenced(secret) && holds_secret(secret, 32));
  const unsigned char* volatile gone = secret;
  free(secret);
  CHECK(all_zero((const void*)gone, 32));
}

static inline void check_untagged(void) {
  char* block = (char*)malloc(100);
  CHECK(block != NULL && !is_fenced(block));
  memset(block, 'u', 100);
  block = (char*)realloc(block, 200000);
  CHECK(block != NULL && block[99] == 'u' && !is_fenced(block));
  free(block);
}

static inline int wait_for(pid_t child) {
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The child sees the parent's secret, locked, and makes its own. */
static inline void check_fork(void) {
  unsigned char* secret = new_secret(64);
  const pid_t child = fork();
  if (child == 0) {
    CHECK(is_fenced(secret) && holds_secret(secret, 64));
    check_life();
    _exit(kProperExit);
  }
  CHECK(wait_for(child) == kProperExit);
  CHECK(is_fenced(secret) && holds_secret(secret, 64));
  free(secret);
}

static inline void core_check(void) {
  check_life();
  check_untagged();
  check_fork();
}

/* Where the shim cannot help, and says so, it must not harm either. */
static inline void works_unfenced(void) {
  unsigned char* secret = (unsigned char*)tagged_malloc(64);
  memset(secret, kSecret, 64);
  secret = (unsigned char*)realloc(secret, 5000);
  CHECK(holds_secret(secret, 64) && !is_fenced(secret));
  free(secret);
  const pid_t child = fork();
  if (child == 0) _exit(tagged_malloc(64) != NULL ? kProperExit : 1);
  CHECK(wait_for(child) == kProperExit);
}

/* Lets the cell look at the process from outside, until it closes stdin. */
static inline void hold(void) {
  puts("ready");
  fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

/* The last thing a program says; returns its proper exit code. */
static inline int core_done(void) {
  puts("core: fenced");
  fflush(stdout);
  return kProperExit;
}
