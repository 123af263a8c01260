/* SPDX-License-Identifier: Apache-2.0 */
/* A module with memory pools of its own. */
#include <stddef.h>
#include <sys/mman.h>

void* pool_map(size_t bytes, int protection) {
  void* at = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  __asm__ volatile("");  /* not a tail call: the caller must be this library */
  return at;
}

int pool_protect(void* at, size_t bytes, int protection) { return mprotect(at, bytes, protection); }

int pool_unmap(void* at, size_t bytes) { return munmap(at, bytes); }

void* pool_remap(void* at, size_t before, size_t after) {
  return mremap(at, before, after, MREMAP_MAYMOVE);
}

int pool_advise(void* at, size_t bytes, int advice) { return madvise(at, bytes, advice); }
