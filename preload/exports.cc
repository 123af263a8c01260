// SPDX-License-Identifier: Apache-2.0
// The malloc family. Each export is a test, or two, and a jump to the next
// allocator with the caller's return address in place.
#include <stddef.h>
#include <stdint.h>

#include "preload/error.h"
#include "preload/fence.h"
#include "preload/next.h"
#include "preload/router.h"
#include "preload/thread.h"

namespace pagewarden {
namespace {

bool NoExtent() { return PW_LIKELY(pw_thread.scope_count == 0); }

bool IsPowerOfTwo(size_t n) { return n != 0 && (n & (n - 1)) == 0; }

// Out of line, so that the exports above need no stack frame.
__attribute__((noinline)) void* TaggedMalloc(size_t bytes) {
  const Routed routed = RouteAllocation(bytes, kAnyAlignment);
  return routed.route == Route::kNext ? next_malloc(bytes) : routed.block;
}

__attribute__((noinline)) void* TaggedCalloc(size_t count, size_t bytes) {
  size_t total;
  if (__builtin_mul_overflow(count, bytes, &total)) return next_calloc(count, bytes);
  const Routed routed = RouteAllocation(total, kAnyAlignment);
  return routed.route == Route::kNext ? next_calloc(count, bytes) : routed.block;
}

// An alignment that the next allocator would refuse is its to refuse.
Routed RouteAligned(size_t alignment, size_t bytes) {
  if (!IsPowerOfTwo(alignment)) return {Route::kNext, nullptr};
  return RouteAllocation(bytes, alignment);
}

}  // namespace

PW_EXPORT void* malloc(size_t bytes) {
  if (NoExtent()) return next_malloc(bytes);
  return TaggedMalloc(bytes);
}

PW_EXPORT void* calloc(size_t count, size_t bytes) {
  if (NoExtent()) return next_calloc(count, bytes);
  return TaggedCalloc(count, bytes);
}

PW_EXPORT void* realloc(void* block, size_t bytes) {
  if (NoExtent() && PW_LIKELY(!fence.Owns(block))) return next_realloc(block, bytes);
  return RouteRealloc(block, bytes);
}

PW_EXPORT void* reallocarray(void* block, size_t count, size_t bytes) {
  size_t total;
  if (__builtin_mul_overflow(count, bytes, &total)) {
    SetErrno(kOutOfMemory);
    return nullptr;
  }
  return realloc(block, total);
}

PW_EXPORT void free(void* block) {
  if (PW_LIKELY(!fence.Owns(block))) return next_free(block);
  FreeFenced(block);
}

// glibc keeps it for old binaries.
PW_EXPORT void cfree(void* block) { free(block); }

// C23. A next allocator without them takes free.
PW_EXPORT void free_sized(void* block, size_t) { free(block); }
PW_EXPORT void free_aligned_sized(void* block, size_t, size_t) { free(block); }

PW_EXPORT int posix_memalign(void** out, size_t alignment, size_t bytes) {
  if (NoExtent() || alignment % sizeof(void*) != 0)
    return next_posix_memalign(out, alignment, bytes);
  const Routed routed = RouteAligned(alignment, bytes);
  if (routed.route == Route::kNext) return next_posix_memalign(out, alignment, bytes);
  if (routed.route == Route::kFail) return kOutOfMemory;
  *out = routed.block;
  return 0;
}

PW_EXPORT void* aligned_alloc(size_t alignment, size_t bytes) {
  if (NoExtent()) return next_aligned_alloc(alignment, bytes);
  const Routed routed = RouteAligned(alignment, bytes);
  return routed.route == Route::kNext ? next_aligned_alloc(alignment, bytes) : routed.block;
}

PW_EXPORT void* memalign(size_t alignment, size_t bytes) {
  if (NoExtent()) return next_memalign(alignment, bytes);
  const Routed routed = RouteAligned(alignment, bytes);
  return routed.route == Route::kNext ? next_memalign(alignment, bytes) : routed.block;
}

PW_EXPORT void* valloc(size_t bytes) {
  if (NoExtent()) return next_valloc(bytes);
  const Routed routed = RouteAllocation(bytes, kPageBytes);
  return routed.route == Route::kNext ? next_valloc(bytes) : routed.block;
}

PW_EXPORT void* pvalloc(size_t bytes) {
  size_t whole_pages;
  if (NoExtent() || __builtin_add_overflow(bytes, kPageBytes - 1, &whole_pages))
    return next_pvalloc(bytes);
  const Routed routed = RouteAllocation(whole_pages / kPageBytes * kPageBytes, kPageBytes);
  return routed.route == Route::kNext ? next_pvalloc(bytes) : routed.block;
}

PW_EXPORT size_t malloc_usable_size(void* block) {
  if (PW_LIKELY(!fence.Owns(block))) return next_malloc_usable_size(block);
  return FencedSize(block);
}

}  // namespace pagewarden
