/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon with four workers, which loads its secret before it becomes one.
   SIGTERM to the master ends them all. */
#include <signal.h>
#include <sys/prctl.h>

#include "core_check.h"

enum { kWorkers = 4, kSecondsAtMost = 60 };

static volatile sig_atomic_t terminated = 0;
static void terminate(int unused) { terminated = 1; }

static void wait_for_sigterm(const sigset_t* open) {
  while (!terminated) sigsuspend(open);
}

static void worker(unsigned char* secret, const sigset_t* open) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(kSecondsAtMost);
  CHECK(is_fenced(secret) && holds_secret(secret, 64));
  core_check();
  puts("worker");
  fflush(stdout);
  wait_for_sigterm(open);
  free(secret);
  CHECK(all_zero(secret, 64));
  exit(kProperExit);
}

static sigset_t block_sigterm(void) {
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, &before);
  signal(SIGTERM, terminate);
  return before;
}

int main(void) {
  unsigned char* secret = new_secret(64);
  const sigset_t open = block_sigterm();
  if (fork() != 0) _exit(0);
  setsid();
  if (fork() != 0) _exit(0);
  alarm(kSecondsAtMost);
  CHECK(is_fenced(secret) && holds_secret(secret, 64));
  pid_t workers[kWorkers];
  for (int i = 0; i < kWorkers; ++i)
    if ((workers[i] = fork()) == 0) worker(secret, &open);
  printf("master %d\n", getpid());
  fflush(stdout);
  wait_for_sigterm(&open);
  for (int i = 0; i < kWorkers; ++i) kill(workers[i], SIGTERM);
  for (int i = 0; i < kWorkers; ++i) CHECK(wait_for(workers[i]) == kProperExit);
  core_check();
  free(secret);
  return core_done();
}
