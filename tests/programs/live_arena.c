// SPDX-License-Identifier: Apache-2.0
// Does what its input says, a line each, and answers each with a line:
//
//   fill KIB       in live_first: blocks of 1 KiB that stay; how many there were, and were not
//   name           a block by pagewarden_alloc: 1, or 0 if there was none
//   file           opens one by fopen, closes it by fclose
//   close          closes what is not open
//   overflow       in live_first: a block, a write behind its end, and its free
//   end
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload/pagewarden.h"

void live_first(void (*body)(void*), void* data);

static void Fill(void* data) {
  const int wanted = *(int*)data;
  int* done = data;
  for (*done = 0; *done < wanted && malloc(1000) != NULL; ++*done) {
  }
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
    if (strcmp(line, "file\n") == 0) fclose(fopen("/dev/null", "r"));
    if (strcmp(line, "close\n") == 0) answer = close(1000);
    if (strcmp(line, "overflow\n") == 0) live_first(Overflow, NULL);
    printf("%d %d\n", answer, wanted != 0 ? wanted - answer : 0);
    fflush(stdout);
  }
  return 0;
}
