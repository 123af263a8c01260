/* SPDX-License-Identifier: Apache-2.0 */
/* An executable that exports an allocator of its own: a bump allocator with the
   size in front of each block. It comes before the shim in every lookup. */
#include "core_check.h"

static _Alignas(16) unsigned char heap[8 << 20];
static size_t used = 0;

void* malloc(size_t bytes) {
  const size_t whole = 16 + (bytes + 15) / 16 * 16;
  const size_t at = __atomic_fetch_add(&used, whole, __ATOMIC_RELAXED);
  if (at + whole > sizeof heap) return NULL;
  memcpy(heap + at, &bytes, sizeof bytes);
  return heap + at + 16;
}

void free(void* block) {}

void* calloc(size_t count, size_t bytes) { return malloc(count * bytes); }

void* realloc(void* block, size_t bytes) {
  size_t before = 0;
  void* moved = malloc(bytes);
  if (block != NULL) memcpy(&before, (unsigned char*)block - 16, sizeof before);
  if (moved != NULL) memcpy(moved, block, before < bytes ? before : bytes);
  return moved;
}

int main(void) {
  unsigned char* block = tagged_malloc(10);
  CHECK(block > heap && block < heap + sizeof heap);
  works_unfenced();
  hold();
  puts("uncovered: works");
  return kProperExit;
}
