// SPDX-License-Identifier: Apache-2.0
// Does what its input says, a line each, and answers each with a line:
//
//   fill KIB       in live_first: blocks of 1 KiB that stay; how many there were, and were not
//   name           a block by pagewarden_alloc: 1, or 0 if there was none
//   in ARENA       the same in the arena of this name: whether it is locked
//   fork           whether a block of live_first in a child is locked
//   sandbox        enters a filter that ends it for mapping memory
//   file           opens one by fopen, closes it by fclose
//   close          closes what is not open
//   overflow       in live_first: a block, a write behind its end, and its free
//   end
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live_filter.h"
#include "preload/pagewarden.h"

void live_first(void (*body)(void*), void* data);

static void Fill(void* data) {
  const int wanted = *(int*)data;
  int* done = data;
  for (*done = 0; *done < wanted && malloc(1000) != NULL; ++*done) {
  }
}

static void AskLocked(void* locked) { *(int*)locked = pagewarden_is_locked(calloc(1, 100)); }

static int IsLockedInChild(void) {
  int locked = 0, status = 0;
  const pid_t child = fork();
  if (child == 0) {
    live_first(AskLocked, &locked);
    _exit(locked);
  }
  return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static volatile size_t behind = 40;

static void Overflow(void* unused) {
  (void)unused;
  volatile char* block = malloc(40);
  block[behind] = 1;
  free((void*)block);
}

int main(void) {
  char line[64];
  printf("ready %d\n", (int)getpid());
  fflush(stdout);
  while (fgets(line, sizeof(line), stdin) != NULL && strcmp(line, "end\n") != 0) {
    int answer = 0, wanted = 0;
    if (sscanf(line, "fill %d", &wanted) == 1) {
      answer = wanted;
      live_first(Fill, &answer);
    }
    if (strcmp(line, "name\n") == 0) answer = pagewarden_alloc(NULL, 100) != NULL;
    char arena[32];
    if (sscanf(line, "in %31s", arena) == 1)
      answer = pagewarden_is_locked(pagewarden_alloc(arena, 100));
    if (strcmp(line, "fork\n") == 0) answer = IsLockedInChild();
    if (strcmp(line, "sandbox\n") == 0) EnterFilter();
    if (strcmp(line, "file\n") == 0) fclose(fopen("/dev/null", "r"));
    if (strcmp(line, "close\n") == 0) answer = close(1000);
    if (strcmp(line, "overflow\n") == 0) live_first(Overflow, NULL);
    printf("%d %d\n", answer, wanted != 0 ? wanted - answer : 0);
    fflush(stdout);
  }
  return 0;
}
