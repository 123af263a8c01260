// SPDX-License-Identifier: Apache-2.0
// Forks the processes that the snapshot is measured beside: each does nothing, a tenth
// hold 64 KiB locked. Static, so that a process is small. Writes their number and a
// newline when all are there; ends, and they with it, when stdin does.
//
//   sleepers COUNT
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static void SleepForever(pid_t parent, int lock) {
  enum { kBytes = 64 << 10 };
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  void* const pages =
      mmap(NULL, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (lock && pages != MAP_FAILED && mlock(pages, kBytes) != 0) _exit(1);
  for (;;) pause();
}

int main(int argc, char** argv) {
  const int wanted = argc > 1 ? atoi(argv[1]) : 0;
  const pid_t self = getpid();
  int started = 0;
  char byte;
  signal(SIGCHLD, SIG_IGN);
  for (; started < wanted; ++started) {
    const pid_t pid = fork();
    if (pid < 0) break;
    if (pid == 0) SleepForever(self, started % 10 == 0);
  }
  printf("%d\n", started);
  fflush(stdout);
  return read(0, &byte, 1) < 0;
}
