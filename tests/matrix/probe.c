/* SPDX-License-Identifier: Apache-2.0 */
/* The core check, then what a libc does with the allocator by itself: threads,
   aligned blocks, getline, strdup. "hold": then one live secret, and a pause; "alone": without
   threads. */
#include <malloc.h>
#include <pthread.h>

#include "core_check.h"

static void* thread(void* unused) {
  for (int i = 0; i < 50; ++i) check_life();
  return unused;
}

static void check_threads(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i) CHECK(pthread_create(&threads[i], NULL, thread, NULL) == 0);
  for (int i = 0; i < 4; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
}

static void aligned(void* unused) {
  void* block = NULL;
  for (size_t alignment = 16; alignment <= 4096; alignment *= 4) {
    CHECK(posix_memalign(&block, alignment, 100) == 0 && is_fenced(block));
    CHECK((uintptr_t)block % alignment == 0);
    free(block);
    block = memalign(alignment, 100);
    CHECK(is_fenced(block) && (uintptr_t)block % alignment == 0);
    free(block);
    block = aligned_alloc(alignment, alignment);
    CHECK(is_fenced(block) && (uintptr_t)block % alignment == 0);
    free(block);
  }
}

static void lines(void* unused) {
  FILE* maps = fopen("/proc/self/maps", "r");
  char* line = NULL;
  size_t bytes = 0;
  CHECK(getline(&line, &bytes, maps) > 0 && is_fenced(line));
  fclose(maps);
  char* copy = strdup(line);
  CHECK(is_fenced(copy) && strcmp(copy, line) == 0);
  free(line), free(copy);
}

int main(int argc, char** argv) {
  core_check();
  if (argc < 2 || strcmp(argv[1], "alone") != 0) check_threads();
  tagged(aligned, NULL);
  tagged(lines, NULL);
  if (argc > 1 && strcmp(argv[1], "hold") == 0) {
    unsigned char* secret = new_secret(64);
    hold();
    free(secret);
  }
  return core_done();
}
