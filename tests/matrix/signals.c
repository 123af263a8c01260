/* SPDX-License-Identifier: Apache-2.0 */
/* A timer's handler allocates and frees inside a tagged extent while the main
   thread does the same, until it has come 3,000 times: it must interrupt the
   arena's own code now and then, and must not wait for it. */
#include <signal.h>
#include <sys/time.h>

#include "core_check.h"

enum { kSignals = 3000 };

static volatile sig_atomic_t signals = 0;

/* Resized and freed here: main never sees these blocks. */
static void in_handler(void* unused) {
  unsigned char* block = malloc(40);
  if (block == NULL) _exit(2);
  memset(block, kSecret, 40);
  block = realloc(block, 400);
  if (block == NULL || !holds_secret(block, 40)) _exit(2);
  free(block);
}

static void on_signal(int unused) {
  ++signals;
  tagged(in_handler, NULL);
}

static void hammer(void* unused) {
  unsigned char* held[16] = {0};
  for (unsigned i = 0; signals < kSignals; ++i) {
    unsigned char** slot = &held[i % 16];
    if (*slot != NULL) CHECK(holds_secret(*slot, 16));
    free(*slot);
    *slot = memset(malloc(16 + i % 100), kSecret, 16 + i % 100);
  }
  CHECK(is_fenced(held[0]));
  for (int i = 0; i < 16; ++i) free(held[i]);
}

static void set_timer(long microseconds) {
  const struct itimerval every = {{0, microseconds}, {0, microseconds}};
  CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
}

int main(void) {
  signal(SIGALRM, on_signal);
  set_timer(200);
  tagged(hammer, NULL);
  set_timer(0);
  core_check();
  hold();
  return core_done();
}
