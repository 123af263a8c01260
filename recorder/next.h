// SPDX-License-Identifier: Apache-2.0
// The functions behind the recorder's own: those of the allocator that the
// program would use without it.
#pragma once

#include <stddef.h>
#include <sys/types.h>

namespace pagewarden::recorder {

struct Next {
  void* (*malloc)(size_t);
  void* (*calloc)(size_t, size_t);
  void* (*realloc)(void*, size_t);
  void (*free)(void*);
  int (*posix_memalign)(void**, size_t, size_t);
  void* (*aligned_alloc)(size_t, size_t);
  void* (*memalign)(size_t, size_t);
  void* (*valloc)(size_t);
  void* (*pvalloc)(size_t);
  size_t (*malloc_usable_size)(void*);
  void* (*mmap)(void*, size_t, int, int, int, off_t);
  int (*munmap)(void*, size_t);
};

// Null while they are being looked up: the lookup itself may allocate.
const Next* FindNext();

// A few blocks for that time; never given back.
void* EarlyAllocate(size_t bytes);
bool IsEarly(const void* block);

// No more bytes of it than these can be in use; how many are, is not kept.
size_t EarlyBytes(const void* block);

}  // namespace pagewarden::recorder
