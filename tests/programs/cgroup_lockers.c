// SPDX-License-Identifier: Apache-2.0
// Cgroups with one process each that has memory locked: DIRECTORY COUNT. Prints the bytes
// locked once all have done it, then waits for the end of its input and ends them all.
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096

static size_t pages_of(int i) { return 1 + (size_t)(i % 7); }

static int enter(const char* directory, int i) {
  char path[PATH_MAX];
  snprintf(path, sizeof(path), "%s/%04d", directory, i);
  if (mkdir(path, 0755) != 0) return -1;
  strncat(path, "/cgroup.procs", sizeof(path) - strlen(path) - 1);
  FILE* const file = fopen(path, "w");
  if (file == NULL) return -1;
  fputs("0", file);
  return fclose(file);
}

static void locker(const char* directory, int i, int report) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const size_t bytes = pages_of(i) * PAGE;
  void* const block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (enter(directory, i) != 0 || block == MAP_FAILED || mlock(block, bytes) != 0) {
    perror("locker");
    _exit(1);
  }
  if (write(report, "+", 1) != 1) _exit(1);
  close(report);
  for (;;) pause();
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int count = atoi(argv[2]);
  int report[2];
  if (count <= 0 || pipe(report) != 0) return 2;
  size_t bytes = 0;
  for (int i = 0; i < count; ++i) {
    const pid_t child = fork();
    if (child < 0) return 1;
    if (child == 0) {
      close(report[0]);
      locker(argv[1], i, report[1]);
    }
    bytes += pages_of(i) * PAGE;
  }
  close(report[1]);
  char byte;
  for (int i = 0; i < count; ++i) {
    if (read(report[0], &byte, 1) != 1) return 1;
  }
  printf("%zu\n", bytes);
  fflush(stdout);
  while (getchar() != EOF) {
  }
  return 0;
}
