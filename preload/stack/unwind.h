// SPDX-License-Identifier: Apache-2.0
// Walks up the stack by call frame information (cfi.h), without libc, without locks
// where the loader has _dl_find_object, and without reading anything outside of the
// stack. What the rule of a return address is, is worked out once and cached.
#pragma once

#include <stdint.h>

#include "preload/base/macros.h"
#include "preload/stack/cfi.h"

namespace pagewarden {

// What `__builtin_frame_address(0)` of a function points to: its caller's rbp, and
// where in the caller it returns to.
struct CallFrame {
  uint64_t rbp;
  uint64_t return_address;

  uint64_t sp_after_return() const { return reinterpret_cast<uint64_t>(this + 1); }
};

inline const CallFrame* FrameAt(const void* address) {
  return static_cast<const CallFrame*>(address);
}

// A place in the walk: the registers as they are when a call has returned there.
struct Cursor {
  uint64_t return_address;
  uint64_t sp;
  uint64_t rbp;
};

inline Cursor CursorAt(const CallFrame& frame) {
  return {frame.return_address, frame.sp_after_return(), frame.rbp};
}

inline constexpr uint32_t kFrameCacheEntries = 1u << 14;

// Zeroed memory for so many words. For Start.
void SetFrameCache(uint64_t* cache);
void FlushFrameCache();

// One word of the cache: what is left of a return address that its place in the
// cache does not tell, and the rule, packed. 0: empty.
//
//   34 bits address | 2 base | 13 rbp | 15 offset      (offsets in words)
inline constexpr unsigned kPackedBits = 30;
inline constexpr uint64_t kPackedMask = (uint64_t{1} << kPackedBits) - 1;
inline constexpr unsigned kOffsetBits = 15;
inline constexpr uint64_t kOffsetMask = (uint64_t{1} << kOffsetBits) - 1;
inline constexpr uint64_t kRbpMask = (uint64_t{1} << 13) - 1;
inline constexpr uint64_t kRbpLost = kRbpMask;

extern PW_HIDDEN uint64_t* frame_cache;

// Whether the entry's frame is found from rsp alone.
PW_INLINE bool IsFixedFrame(uint64_t entry) {
  return static_cast<FrameRule::Base>(entry >> 28 & 3) == FrameRule::Base::kRsp;
}

// Moves to the caller; false where that is unknown or not within the stack, which
// ends at `stack_top`. Both go on from where the cursor was.
bool StepBySlowPath(Cursor* cursor, uint64_t stack_top);

inline bool IsWordOnStack(uint64_t address, uint64_t sp, uint64_t stack_top) {
  return address - sp <= stack_top - sp - sizeof(uint64_t) && address % sizeof(uint64_t) == 0;
}

PW_INLINE uint64_t WordAt(uint64_t address) { return *reinterpret_cast<const uint64_t*>(address); }

PW_INLINE uint32_t FrameCacheIndex(uint64_t address) {
  return static_cast<uint32_t>(address ^ address >> 14) % kFrameCacheEntries;
}

// Precondition: at least a word of the stack is left above cursor->sp.
PW_INLINE bool Step(Cursor* cursor, uint64_t stack_top) {
  const uint64_t address = cursor->return_address;
  const uint64_t entry = __atomic_load_n(&frame_cache[FrameCacheIndex(address)], __ATOMIC_RELAXED);
  if (PW_UNLIKELY(entry >> kPackedBits != address >> 14)) return StepBySlowPath(cursor, stack_top);
  const auto base = static_cast<FrameRule::Base>(entry >> 28 & 3);
  const uint64_t rbp_words = entry >> kOffsetBits & kRbpMask;
  if (PW_UNLIKELY(base == FrameRule::Base::kNone || base == FrameRule::Base::kSavedAtRbp ||
                  rbp_words == kRbpLost))
    return StepBySlowPath(cursor, stack_top);
  const uint64_t from = base == FrameRule::Base::kRsp ? cursor->sp : cursor->rbp;
  const uint64_t cfa = from + (entry & kOffsetMask) * sizeof(uint64_t);
  if (PW_UNLIKELY(!IsWordOnStack(cfa - sizeof(uint64_t), cursor->sp, stack_top))) return false;
  if (rbp_words != 0) {
    const uint64_t saved = cfa - rbp_words * sizeof(uint64_t);
    if (PW_UNLIKELY(saved < cursor->sp)) return false;
    cursor->rbp = WordAt(saved);
  }
  cursor->return_address = WordAt(cfa - sizeof(uint64_t));
  cursor->sp = cfa;
  return stack_top - cfa >= sizeof(uint64_t);
}

}  // namespace pagewarden
