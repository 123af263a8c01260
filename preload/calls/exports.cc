// SPDX-License-Identifier: Apache-2.0
// The malloc family. Each export is a test, or two, and a jump with the caller's
// return address in place: to the next allocator, or to where a call is judged.
#include <stddef.h>
#include <stdint.h>

#include "preload/base/error.h"
#include "preload/calls/next.h"
#include "preload/calls/pass.h"
#include "preload/calls/router.h"
#include "preload/fence/fence.h"

namespace pagewarden {
namespace {

inline void* Realloc(void* block, size_t bytes) {
  if (PW_UNLIKELY(fence.Owns(block))) return ReallocFenced(block, bytes);
  if (NoExtent()) return pass_realloc(block, bytes);
  return judged_realloc(block, bytes);
}

inline void Free(void* block) {
  if (PW_LIKELY(!fence.Owns(block))) return next_free(block);
  FreeFenced(block);
}

}  // namespace

PW_EXPORT void* malloc(size_t bytes) {
  if (NoExtent()) return pass_malloc(bytes);
  return judged_malloc(bytes);
}

PW_EXPORT void* calloc(size_t count, size_t bytes) {
  if (NoExtent()) return pass_calloc(count, bytes);
  return judged_calloc(count, bytes);
}

PW_EXPORT void* realloc(void* block, size_t bytes) { return Realloc(block, bytes); }

PW_EXPORT void* reallocarray(void* block, size_t count, size_t bytes) {
  size_t total;
  if (__builtin_mul_overflow(count, bytes, &total)) {
    SetErrno(kOutOfMemory);
    return nullptr;
  }
  return Realloc(block, total);
}

PW_EXPORT void free(void* block) { Free(block); }

// glibc keeps it for old binaries.
PW_EXPORT void cfree(void* block) { Free(block); }

// C23. A next allocator without them takes free.
PW_EXPORT void free_sized(void* block, size_t) { Free(block); }
PW_EXPORT void free_aligned_sized(void* block, size_t, size_t) { Free(block); }

// glibc's second names, for programs that wrap malloc: a fenced block must not
// reach its heap by them. What allocates under these names asks for that heap.
PW_EXPORT void __libc_free(void* block) {
  if (PW_LIKELY(!fence.Owns(block))) return next___libc_free(block);
  FreeFenced(block);
}

PW_EXPORT void* __libc_realloc(void* block, size_t bytes) {
  if (PW_LIKELY(!fence.Owns(block))) return next___libc_realloc(block, bytes);
  return ReallocFenced(block, bytes);
}

PW_EXPORT int posix_memalign(void** out, size_t alignment, size_t bytes) {
  if (NoExtent()) return pass_posix_memalign(out, alignment, bytes);
  return judged_posix_memalign(out, alignment, bytes);
}

PW_EXPORT void* aligned_alloc(size_t alignment, size_t bytes) {
  if (NoExtent()) return pass_aligned_alloc(alignment, bytes);
  return judged_aligned_alloc(alignment, bytes);
}

PW_EXPORT void* memalign(size_t alignment, size_t bytes) {
  if (NoExtent()) return pass_memalign(alignment, bytes);
  return judged_memalign(alignment, bytes);
}

PW_EXPORT void* valloc(size_t bytes) {
  if (NoExtent()) return pass_valloc(bytes);
  return judged_valloc(bytes);
}

PW_EXPORT void* pvalloc(size_t bytes) {
  if (NoExtent()) return pass_pvalloc(bytes);
  return judged_pvalloc(bytes);
}

PW_EXPORT size_t malloc_usable_size(void* block) {
  if (PW_LIKELY(!fence.Owns(block))) return next_malloc_usable_size(block);
  return FencedSize(block);
}

}  // namespace pagewarden
