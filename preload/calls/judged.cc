// SPDX-License-Identifier: Apache-2.0
// Where a call of the malloc family is judged: the fence's block, a refusal, or
// the next allocator's answer. The exports jump here, so the return address is
// still the program's.
#include <stddef.h>

#include "preload/base/error.h"
#include "preload/calls/next.h"
#include "preload/calls/pass.h"
#include "preload/calls/router.h"

namespace pagewarden {
namespace {

bool IsPowerOfTwo(size_t n) { return n != 0 && (n & (n - 1)) == 0; }

// An alignment that the next allocator would refuse is its to refuse.
Routed JudgeAligned(size_t alignment, size_t bytes, const CallFrame& frame) {
  if (!IsPowerOfTwo(alignment)) return {Route::kNext, nullptr};
  return Judge(bytes, alignment, frame);
}

}  // namespace

extern "C" {

void* judged_malloc(size_t bytes) {
  const Routed routed = Judge(bytes, kAnyAlignment, PW_CALL_FRAME);
  return routed.route == Route::kNext ? next_malloc(bytes) : routed.block;
}

void* judged_calloc(size_t count, size_t bytes) {
  size_t total;
  if (__builtin_mul_overflow(count, bytes, &total)) return next_calloc(count, bytes);
  const Routed routed = Judge(total, kAnyAlignment, PW_CALL_FRAME);
  return routed.route == Route::kNext ? next_calloc(count, bytes) : routed.block;
}

void* judged_realloc(void* block, size_t bytes) {
  return RouteRealloc(block, bytes, PW_CALL_FRAME);
}

int judged_posix_memalign(void** out, size_t alignment, size_t bytes) {
  if (alignment % sizeof(void*) != 0) return next_posix_memalign(out, alignment, bytes);
  const Routed routed = JudgeAligned(alignment, bytes, PW_CALL_FRAME);
  if (routed.route == Route::kNext) return next_posix_memalign(out, alignment, bytes);
  if (routed.route == Route::kFail) return kOutOfMemory;
  *out = routed.block;
  return 0;
}

void* judged_aligned_alloc(size_t alignment, size_t bytes) {
  const Routed routed = JudgeAligned(alignment, bytes, PW_CALL_FRAME);
  return routed.route == Route::kNext ? next_aligned_alloc(alignment, bytes) : routed.block;
}

void* judged_memalign(size_t alignment, size_t bytes) {
  const Routed routed = JudgeAligned(alignment, bytes, PW_CALL_FRAME);
  return routed.route == Route::kNext ? next_memalign(alignment, bytes) : routed.block;
}

void* judged_valloc(size_t bytes) {
  const Routed routed = Judge(bytes, kPageBytes, PW_CALL_FRAME);
  return routed.route == Route::kNext ? next_valloc(bytes) : routed.block;
}

void* judged_pvalloc(size_t bytes) {
  size_t whole_pages;
  if (__builtin_add_overflow(bytes, kPageBytes - 1, &whole_pages)) return next_pvalloc(bytes);
  const Routed routed = Judge(whole_pages / kPageBytes * kPageBytes, kPageBytes, PW_CALL_FRAME);
  return routed.route == Route::kNext ? next_pvalloc(bytes) : routed.block;
}

}  // extern "C"

}  // namespace pagewarden
