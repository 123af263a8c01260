// SPDX-License-Identifier: Apache-2.0
// Keeps the text of a file in every kind of place that `pagewarden learn` tells
// apart, among many allocations that hold nothing:
//
//   learn-target FILE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { kBytes = 64, kInnocent = 20000 };

static char in_static_data[kBytes];
static char* on_heap;
static char* in_pool;

#define NOINLINE __attribute__((noinline))

NOINLINE static void* CopyOf(const char* secret) {
  char* copy = malloc(kBytes);
  strcpy(copy, secret);
  return copy;
}

NOINLINE static void Keep(const char* secret) { on_heap = CopyOf(secret); }

NOINLINE static void UseOnce(const char* secret) {
  char* copy = calloc(1, 3 * kBytes);
  strcpy(copy, secret);
  free(copy);  // not wiped
}

NOINLINE static void KeepInPool(const char* secret) {
  in_pool = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  strcpy(in_pool, secret);
}

// As large as the others: size alone tells nothing.
NOINLINE static void AllocateInnocently(void) {
  static char* blocks[16];
  for (int i = 0; i < kInnocent; ++i) {
    free(blocks[i % 16]);
    blocks[i % 16] = malloc(i % 2 == 0 ? kBytes : 3 * kBytes);
    memset(blocks[i % 16], 'x', kBytes);
  }
}

NOINLINE static void ReadSecret(const char* path, char* secret) {
  FILE* file = fopen(path, "r");
  if (file == NULL || fgets(secret, kBytes, file) == NULL) exit(1);
  fclose(file);
  secret[strcspn(secret, "\n")] = '\0';
}

int main(int argc, char** argv) {
  char secret[kBytes];
  if (argc != 2) return 2;
  ReadSecret(argv[1], secret);
  AllocateInnocently();
  UseOnce(secret);
  Keep(secret);
  KeepInPool(secret);
  strcpy(in_static_data, secret);
  explicit_bzero(secret, sizeof(secret));
  AllocateInnocently();
  for (;;) pause();
}
