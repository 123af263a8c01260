// SPDX-License-Identifier: Apache-2.0
// operator new and delete, by their mangled names (Itanium C++ ABI). Without
// them every C++ allocation would seem to come from libstdc++. They never throw
// themselves: when memory is short, the C++ library's own operator decides.
#include <stddef.h>
#include <stdint.h>

#include "preload/fence.h"
#include "preload/next.h"
#include "preload/router.h"
#include "preload/thread.h"

namespace pagewarden {
namespace {

// More than any allocator has: the C++ library's operator then fails its own way.
constexpr size_t kUnobtainable = PTRDIFF_MAX;

// `arguments` are those behind the size: alignment, nothrow tag.
template <typename Next, typename... Arguments>
__attribute__((noinline)) void* TaggedNew(Next& next, size_t bytes, size_t alignment,
                                          Arguments... arguments) {
  const Routed routed = RouteAllocation(bytes, alignment);
  if (routed.route == Route::kFenced) return routed.block;
  return next(routed.route == Route::kFail ? kUnobtainable : bytes, arguments...);
}

template <typename Next, typename... Arguments>
inline void* New(Next& next, size_t bytes, Arguments... arguments) {
  if (PW_UNLIKELY(pw_thread.scope_count != 0))
    return TaggedNew(next, bytes, kAnyAlignment, arguments...);
  if (PW_LIKELY(cxx_is_malloc)) {
    void* block = next_malloc(bytes != 0 ? bytes : 1);
    if (PW_LIKELY(block != nullptr)) return block;
  }
  return next(bytes, arguments...);
}

template <typename Next, typename... Arguments>
inline void* NewAligned(Next& next, size_t bytes, size_t alignment, Arguments... arguments) {
  if (PW_UNLIKELY(pw_thread.scope_count != 0))
    return TaggedNew(next, bytes, alignment, alignment, arguments...);
  return next(bytes, alignment, arguments...);
}

}  // namespace

#define PW_NEW(symbol) \
  PW_EXPORT void* symbol(size_t bytes) { return New(next_##symbol, bytes); }
#define PW_NEW_NOTHROW(symbol)                            \
  PW_EXPORT void* symbol(size_t bytes, const void* tag) { \
    return New(next_##symbol, bytes, tag);                \
  }
#define PW_NEW_ALIGNED(symbol)                             \
  PW_EXPORT void* symbol(size_t bytes, size_t alignment) { \
    return NewAligned(next_##symbol, bytes, alignment);    \
  }
#define PW_NEW_ALIGNED_NOTHROW(symbol)                                      \
  PW_EXPORT void* symbol(size_t bytes, size_t alignment, const void* tag) { \
    return NewAligned(next_##symbol, bytes, alignment, tag);                \
  }

PW_NEW(_Znwm)
PW_NEW(_Znam)
PW_NEW_NOTHROW(_ZnwmRKSt9nothrow_t)
PW_NEW_NOTHROW(_ZnamRKSt9nothrow_t)
PW_NEW_ALIGNED(_ZnwmSt11align_val_t)
PW_NEW_ALIGNED(_ZnamSt11align_val_t)
PW_NEW_ALIGNED_NOTHROW(_ZnwmSt11align_val_tRKSt9nothrow_t)
PW_NEW_ALIGNED_NOTHROW(_ZnamSt11align_val_tRKSt9nothrow_t)

// The C++ library's delete is free.
#define PW_DELETE(symbol, parameters, arguments)                   \
  PW_EXPORT void symbol parameters {                               \
    if (PW_UNLIKELY(fence.Owns(block))) return FreeFenced(block);  \
    if (PW_LIKELY(cxx_is_malloc)) return next_free(block);         \
    return next_##symbol arguments;                                \
  }

PW_DELETE(_ZdlPv, (void* block), (block))
PW_DELETE(_ZdaPv, (void* block), (block))
PW_DELETE(_ZdlPvm, (void* block, size_t bytes), (block, bytes))
PW_DELETE(_ZdaPvm, (void* block, size_t bytes), (block, bytes))
PW_DELETE(_ZdlPvRKSt9nothrow_t, (void* block, const void* tag), (block, tag))
PW_DELETE(_ZdaPvRKSt9nothrow_t, (void* block, const void* tag), (block, tag))
PW_DELETE(_ZdlPvSt11align_val_t, (void* block, size_t alignment), (block, alignment))
PW_DELETE(_ZdaPvSt11align_val_t, (void* block, size_t alignment), (block, alignment))
PW_DELETE(_ZdlPvmSt11align_val_t, (void* block, size_t bytes, size_t alignment),
          (block, bytes, alignment))
PW_DELETE(_ZdaPvmSt11align_val_t, (void* block, size_t bytes, size_t alignment),
          (block, bytes, alignment))
PW_DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, (void* block, size_t alignment, const void* tag),
          (block, alignment, tag))
PW_DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, (void* block, size_t alignment, const void* tag),
          (block, alignment, tag))

}  // namespace pagewarden
