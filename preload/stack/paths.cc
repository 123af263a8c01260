// SPDX-License-Identifier: Apache-2.0
#include "preload/stack/paths.h"

namespace pagewarden {

PW_SEALED Path* paths = nullptr;

void SetPaths(Path* memory) { paths = memory; }

void FlushPaths() {
  for (uint32_t i = 0; i < kPaths; ++i)
    if (__atomic_load_n(&paths[i].mark, __ATOMIC_RELAXED) != 0)
      __atomic_store_n(&paths[i].mark, 0, __ATOMIC_RELAXED);
}

void PathRecorder::Add(const Cursor& before, const Cursor& now) {
  const uint64_t entry =
      __atomic_load_n(&frame_cache[FrameCacheIndex(before.return_address)], __ATOMIC_RELAXED);
  const uint64_t distance = (now.sp - start_.sp) / sizeof(uint64_t) - 1;
  is_fixed_ = is_fixed_ && entry >> kPackedBits == before.return_address >> 14 &&
              IsFixedFrame(entry) && distance >> (64 - kPathDistanceShift) == 0 &&
              now.return_address <= kPathAddressMask && count_ < kPathFrames;
  if (is_fixed_) words_[count_++] = distance << kPathDistanceShift | now.return_address;
}

void PathRecorder::Remember(uint16_t answer) const {
  if (!is_fixed_ || count_ == 0) return;
  uint64_t hash = start_.return_address * kPathFactor;
  for (uint32_t i = 0; i < count_; ++i) hash += HashPathWord(words_[i], i);
  Path& path = PathOf(start_.return_address, words_[0] & kPathAddressMask);
  __atomic_store_n(&path.mark, 0, __ATOMIC_RELAXED);
  for (uint32_t i = 0; i < count_; ++i)
    __atomic_store_n(&path.words[i], words_[i], __ATOMIC_RELAXED);
  const uint64_t low = uint64_t{count_} << 16 | answer;
  __atomic_store_n(&path.mark, hash >> kPathHashShift << kPathHashShift | low, __ATOMIC_RELEASE);
}

}  // namespace pagewarden
