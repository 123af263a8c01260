// SPDX-License-Identifier: Apache-2.0
// The pass table: where an export jumps when the calling thread is in no extent.
// pass_malloc is next_malloc in most processes, so that they pay for nothing
// else; in one whose policy has a rule that looks at every call it is judged_malloc,
// and where the rules look only at who calls, SitedCall. Code of the shim itself calls
// next_malloc.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/base/macros.h"
#include "preload/base/thread.h"
#include "preload/calls/router.h"

extern "C" {
#define PW_DECLARE_PLAIN(...)
#define PW_DECLARE_LATE(...)
#define PW_DECLARE_ALLOCATE(symbol, result, parameters)                              \
  extern PW_HIDDEN result(*pass_##symbol) parameters; /* next_, or judged_ */        \
  /* The fence's block, or next_; out of line, so that the exports need no frame. */ \
  PW_HIDDEN __attribute__((noinline)) result judged_##symbol parameters;
#define PW_DECLARE_NEW(symbol, result, parameters) \
  PW_DECLARE_ALLOCATE(symbol, result, parameters)  \
  PW_HIDDEN result direct_##symbol parameters; /* by next_malloc; next_ if it fails */
#define PW_DECLARE_DELETE(symbol, result, parameters) \
  extern PW_HIDDEN result(*pass_##symbol) parameters; /* next_, or next_free */
#define PW_NEXT(kind, symbol, result, parameters, fallback) \
  PW_DECLARE_##kind(symbol, result, parameters)
#include "preload/calls/next_names.h"
#undef PW_NEXT
}

namespace pagewarden {

// Fills the table from what is resolved.
void UpdatePassTable();

// Whether every allocation is judged, not only those in an extent; or all but calls from
// sites that no rule wants anything from (sites.h).
enum class Judging { kExtents, kSites, kEveryCall };

// For Start, before the table is sealed; later where an image is followed.
void SetJudging(Judging judging);

// The entry beside a next_… pointer, or null.
void** PassOf(void** next);

inline bool NoExtent() { return PW_LIKELY(pw_thread.scope_count == 0); }

// More than any allocator has: nothing to judge, and the C++ library's operator
// fails its own way.
inline constexpr size_t kUnobtainable = PTRDIFF_MAX;

inline Routed Judge(size_t bytes, size_t alignment, const CallFrame& frame) {
  if (PW_UNLIKELY(bytes >= kUnobtainable)) return {Route::kNext, nullptr};
  return RouteAllocation(bytes, alignment, frame);
}

// For the judged_ functions: exports jump to them, so that this is the frame that the
// program's own call has made. It also keeps the compiler from leaving it out.
#define PW_CALL_FRAME (*FrameAt(__builtin_frame_address(0)))

}  // namespace pagewarden
