// SPDX-License-Identifier: Apache-2.0
// exit: 0
// without: ipc_lock
// memlock: 4194304
// policy: pin_process.yaml
// Signals that come in the midst of mmap and munmap: their handlers may fork, map memory,
// which is locked as any other, and jump out.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "pins.h"

enum { kTimes = 200, kPage = 4096 };

static volatile int times;
static sigjmp_buf before_the_loop;
static char* mapped[kTimes];

static char* map(size_t bytes) {
  return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void fork_and_count(int signal) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, NULL, 0);
  ++times;
}

static void map_and_count(int signal) {
  if (times < kTimes) mapped[times++] = map(kPage);
}

static void jump_and_count(int signal) {
  ++times;
  siglongjmp(before_the_loop, 1);
}

static void set_timer(long microseconds) {
  const struct itimerval timer = {{0, microseconds}, {0, microseconds}};
  CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void interrupted_by(void (*handler)(int)) {
  signal(SIGALRM, handler);
  times = 0;
  sigsetjmp(before_the_loop, 1);
  set_timer(499);
  while (times < kTimes) {
    void* block = map(2 * kPage);
    munmap(block, 2 * kPage);
  }
  set_timer(0);
}

static void* map_in_thread(void* argument) { return map(kPage); }

int main(void) {
  pthread_t thread;
  void* block;
  interrupted_by(fork_and_count);
  interrupted_by(map_and_count);
  int unlocked = 0;
  for (int i = 0; i < kTimes; ++i) unlocked += madvise(mapped[i], kPage, MADV_PAGEOUT) == 0;
  CHECK(unlocked == 0);
  interrupted_by(jump_and_count);
  alarm(20);
  signal(SIGALRM, SIG_DFL);
  CHECK(pthread_create(&thread, NULL, map_in_thread, NULL) == 0);
  CHECK(pthread_join(thread, &block) == 0 && is_locked(block));
  return 0;
}
