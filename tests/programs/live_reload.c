// SPDX-License-Identifier: Apache-2.0
// Allocates in threads, in hooked functions and outside, until its input ends:
//
//   live_reload THREADS [strict|fork|demote|rough|gentle] [FILE]
//
// Prints its pid when it works.
// `strict`: under a filter that lets nothing map or open a file. `fork`: a child does the
// same. `demote`: in a chroot, as another user. `rough`: threads fork and change their
// names, too. `gentle`: they leave the processor to others. FILE: they have it open now and then.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live_filter.h"

void live_first(void (*body)(void*), void* data);
void live_second(void (*body)(void*), void* data);
void* live_caller(void* (*allocate)(size_t), size_t bytes);

static volatile int ended = 0;

static void Blocks(void* rounds) {
  for (int i = 0; i < *(int*)rounds; ++i) {
    unsigned char* block = malloc(48 + i);
    memset(block, 0x5a, 48 + i);
    block = realloc(block, 400);
    for (int b = 0; b < 48; ++b)
      if (block[b] != 0x5a) abort();
    free(block);
  }
}

static void CallerAndFile(const char* file, int rounds) {
  free(live_caller(malloc, 100));
  const int fd = file != NULL ? open(file, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) return;
  Blocks(&rounds);
  close(fd);
}

static void ForkAndRename(unsigned turn) {
  static const char* const names[] = {"worker", "idler"};
  pthread_setname_np(pthread_self(), names[turn % 2]);
  if (turn % 16 != 0) return;
  const pid_t child = fork();
  int rounds = 3, status = 0;
  if (child == 0) {
    live_first(Blocks, &rounds);
    _exit(0);
  }
  if (waitpid(child, &status, 0) != child || status != 0) abort();
}

static const char* secret_file = NULL;
static int is_rough = 0, is_gentle = 0;

static void* Work(void* unused) {
  int rounds = 7;
  for (unsigned turn = 0; !ended; ++turn) {
    live_first(Blocks, &rounds);
    Blocks(&rounds);
    live_second(Blocks, &rounds);
    CallerAndFile(secret_file, rounds);
    if (is_rough) ForkAndRename(turn);
    if (is_gentle) usleep(1000);
  }
  return unused;
}

int main(int argc, char** argv) {
  const int threads = argc > 1 ? atoi(argv[1]) : 1;
  const char* how = argc > 2 ? argv[2] : "";
  secret_file = argc > 3 ? argv[3] : NULL;
  is_rough = strcmp(how, "rough") == 0;
  is_gentle = strcmp(how, "gentle") == 0;
  pthread_t ids[16];
  pid_t child = -1;
  if (strcmp(how, "fork") == 0 && (child = fork()) != 0) {
    int status = 0;
    waitpid(child, &status, 0);
    return status != 0;
  }
  if (strcmp(how, "demote") == 0 &&
      (chroot("/tmp") != 0 || chdir("/") != 0 || setgid(65534) != 0 || setuid(65534) != 0))
    return 3;
  for (int i = 0; i < threads && i < 16; ++i) pthread_create(&ids[i], NULL, Work, NULL);
  const int pid = (int)getpid();
  printf("ready %d\n", pid);
  fflush(stdout);
  if (strcmp(how, "strict") == 0) {
    usleep(300 * 1000);  // the C library's heaps of the threads are mapped by now
    EnterFilter();
  }
  char byte;
  while (read(0, &byte, 1) == 1) {
  }
  if (strcmp(how, "strict") == 0) _exit(0);  // threads end by calls that the filter forbids
  ended = 1;
  for (int i = 0; i < threads && i < 16; ++i) pthread_join(ids[i], NULL);
  return 0;
}
