// SPDX-License-Identifier: Apache-2.0
// Paths through transparent callers that were followed before, and what came of it.
//
// A walk up the stack is a chain of loads, each of which has to wait for the one
// before. Where frames are of fixed size, a path says at which distances from the stack
// pointer which return addresses lie, and the processor can compare all of them at
// once: a path holds if each address is where the frames below it say. Frames that are
// found by rbp are not remembered, but walked.
//
// Words are written without locks. A mark over all of them tells when a path is a
// mixture of two.
#pragma once

#include <stdint.h>

#include "preload/base/macros.h"
#include "preload/stack/unwind.h"

namespace pagewarden {

inline constexpr uint32_t kPathFrames = 8;
inline constexpr uint32_t kPaths = 512;

// What is above a return address.
struct Path {
  uint64_t mark;                // 44 bits of a hash | 4 bits: how many words | 16 bits: answer
  uint64_t words[kPathFrames];  // 16 bits: distance in words | 48 bits: return address
};

// Zeroed memory for so many. For Start.
void SetPaths(Path* paths);
void FlushPaths();

// Collects a path while it is walked.
class PathRecorder {
 public:
  explicit PathRecorder(const Cursor& start) : start_(start) {}

  // `before` is where the step began, which has led to `now`.
  void Add(const Cursor& before, const Cursor& now);
  void Remember(uint16_t answer) const;

 private:
  Cursor start_;
  uint64_t words_[kPathFrames] = {};
  uint32_t count_ = 0;
  bool is_fixed_ = true;
};

extern PW_HIDDEN Path* paths;

inline constexpr uint64_t kPathFactor = 0x9e3779b97f4a7c15u;  // 2^64 over the golden ratio, odd
inline constexpr unsigned kPathDistanceShift = 48;
inline constexpr uint64_t kPathAddressMask = (uint64_t{1} << kPathDistanceShift) - 1;
inline constexpr unsigned kPathHashShift = 20;

PW_INLINE uint64_t HashPathWord(uint64_t word, uint32_t i) { return word * (kPathFactor + 2 * i); }

PW_INLINE Path& PathOf(uint64_t address, uint64_t caller) {
  return paths[((address ^ (caller << 5)) * kPathFactor >> 40) % kPaths];
}

// The answer for the path from `start`, if it is known.
PW_INLINE bool FindPath(const Cursor& start, uint64_t stack_top, uint32_t* answer) {
  const uint64_t entry =
      __atomic_load_n(&frame_cache[FrameCacheIndex(start.return_address)], __ATOMIC_RELAXED);
  if (entry >> kPackedBits != start.return_address >> 14 || !IsFixedFrame(entry)) return false;
  const uint64_t first = start.sp + (entry & kOffsetMask) * sizeof(uint64_t) - sizeof(uint64_t);
  if (!IsWordOnStack(first, start.sp, stack_top)) return false;
  const Path& path = PathOf(start.return_address, WordAt(first));
  const uint64_t mark = __atomic_load_n(&path.mark, __ATOMIC_RELAXED);
  const uint32_t count = mark >> 16 & 15;
  const uint64_t room = (stack_top - start.sp) / sizeof(uint64_t);
  uint64_t hash = start.return_address * kPathFactor;
  if (count == 0 || count > kPathFrames) return false;
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t word = __atomic_load_n(&path.words[i], __ATOMIC_RELAXED);
    const uint64_t distance = word >> kPathDistanceShift;
    if (distance >= room ||
        WordAt(start.sp + distance * sizeof(uint64_t)) != (word & kPathAddressMask))
      return false;
    hash += HashPathWord(word, i);
  }
  *answer = mark & 0xffff;
  return (hash ^ mark) >> kPathHashShift == 0;
}

}  // namespace pagewarden
