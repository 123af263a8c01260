// SPDX-License-Identifier: Apache-2.0
// operator new and delete, by their mangled names (Itanium C++ ABI). Without
// them every C++ allocation would seem to come from libstdc++. They never throw
// themselves: when memory is short, the C++ library's own operator decides.
#include <stddef.h>
#include <stdint.h>

#include "preload/calls/next.h"
#include "preload/calls/pass.h"
#include "preload/calls/router.h"
#include "preload/fence/fence.h"

namespace pagewarden {
namespace {

// Without the detour through the C++ library: 19 ns a pair become 12.
template <typename Next, typename... Tag>
inline void* Direct(Next& next, size_t bytes, Tag... tag) {
  void* block = next_malloc(bytes != 0 ? bytes : 1);
  return PW_LIKELY(block != nullptr) ? block : next(bytes, tag...);
}

template <typename Next, typename... Tag>
inline void* DirectAligned(Next& next, size_t bytes, size_t alignment, Tag... tag) {
  size_t whole;  // aligned_alloc(3) asks for a multiple
  if (__builtin_add_overflow(bytes != 0 ? bytes : 1, alignment - 1, &whole))
    return next(bytes, alignment, tag...);
  void* block = next_aligned_alloc(alignment, whole & ~(alignment - 1));
  return PW_LIKELY(block != nullptr) ? block : next(bytes, alignment, tag...);
}

// `arguments` are those behind the size: alignment, nothrow tag.
template <typename Next, typename... Arguments>
inline void* Judged(Next& next, Next direct, const CallFrame& frame, size_t bytes,
                    size_t alignment, Arguments... arguments) {
  if (operators == Operators::kForeign) return next(bytes, arguments...);
  const Routed routed = Judge(bytes, alignment, frame);
  if (routed.route == Route::kFenced) return routed.block;
  if (routed.route == Route::kFail) return next(kUnobtainable, arguments...);
  return (operators == Operators::kCxxLibrary ? direct : next)(bytes, arguments...);
}

}  // namespace

#define PW_NEW_EXPORT(symbol, parameters, arguments) \
  PW_EXPORT void* symbol parameters {                \
    if (NoExtent()) return pass_##symbol arguments;  \
    return judged_##symbol arguments;                \
  }
#define PW_NEW(symbol)                                                                    \
  extern "C" void* direct_##symbol(size_t bytes) { return Direct(next_##symbol, bytes); } \
  extern "C" void* judged_##symbol(size_t bytes) {                                        \
    return Judged(next_##symbol, direct_##symbol, PW_CALL_FRAME, bytes, kAnyAlignment);                  \
  }                                                                                       \
  PW_NEW_EXPORT(symbol, (size_t bytes), (bytes))
#define PW_NEW_NOTHROW(symbol)                                                \
  extern "C" void* direct_##symbol(size_t bytes, const void* tag) {           \
    return Direct(next_##symbol, bytes, tag);                                 \
  }                                                                           \
  extern "C" void* judged_##symbol(size_t bytes, const void* tag) {           \
    return Judged(next_##symbol, direct_##symbol, PW_CALL_FRAME, bytes, kAnyAlignment, tag); \
  }                                                                           \
  PW_NEW_EXPORT(symbol, (size_t bytes, const void* tag), (bytes, tag))
#define PW_NEW_ALIGNED(symbol)                                                  \
  extern "C" void* direct_##symbol(size_t bytes, size_t alignment) {            \
    return DirectAligned(next_##symbol, bytes, alignment);                      \
  }                                                                             \
  extern "C" void* judged_##symbol(size_t bytes, size_t alignment) {            \
    return Judged(next_##symbol, direct_##symbol, PW_CALL_FRAME, bytes, alignment, alignment); \
  }                                                                             \
  PW_NEW_EXPORT(symbol, (size_t bytes, size_t alignment), (bytes, alignment))
#define PW_NEW_ALIGNED_NOTHROW(symbol)                                                \
  extern "C" void* direct_##symbol(size_t bytes, size_t alignment, const void* tag) { \
    return DirectAligned(next_##symbol, bytes, alignment, tag);                       \
  }                                                                                   \
  extern "C" void* judged_##symbol(size_t bytes, size_t alignment, const void* tag) { \
    return Judged(next_##symbol, direct_##symbol, PW_CALL_FRAME, bytes, alignment, alignment, tag);  \
  }                                                                                   \
  PW_NEW_EXPORT(symbol, (size_t bytes, size_t alignment, const void* tag), (bytes, alignment, tag))

PW_NEW(_Znwm)
PW_NEW(_Znam)
PW_NEW_NOTHROW(_ZnwmRKSt9nothrow_t)
PW_NEW_NOTHROW(_ZnamRKSt9nothrow_t)
PW_NEW_ALIGNED(_ZnwmSt11align_val_t)
PW_NEW_ALIGNED(_ZnamSt11align_val_t)
PW_NEW_ALIGNED_NOTHROW(_ZnwmSt11align_val_tRKSt9nothrow_t)
PW_NEW_ALIGNED_NOTHROW(_ZnamSt11align_val_tRKSt9nothrow_t)

// A foreign operator new may have put a header before what malloc gave it.
#define PW_DELETE(symbol, parameters, arguments)                                       \
  PW_EXPORT void symbol parameters {                                                   \
    if (PW_LIKELY(!fence.Owns(block))) return pass_##symbol arguments;                 \
    if (PW_UNLIKELY(operators == Operators::kForeign)) return next_##symbol arguments; \
    FreeFenced(block);                                                                 \
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
PW_DELETE(_ZdlPvmRKSt9nothrow_t, (void* block, size_t bytes, const void* tag), (block, bytes, tag))
PW_DELETE(_ZdaPvmRKSt9nothrow_t, (void* block, size_t bytes, const void* tag), (block, bytes, tag))
PW_DELETE(_ZdlPvmSt11align_val_tRKSt9nothrow_t,
          (void* block, size_t bytes, size_t alignment, const void* tag),
          (block, bytes, alignment, tag))
PW_DELETE(_ZdaPvmSt11align_val_tRKSt9nothrow_t,
          (void* block, size_t bytes, size_t alignment, const void* tag),
          (block, bytes, alignment, tag))

}  // namespace pagewarden
