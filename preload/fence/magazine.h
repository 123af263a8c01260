// SPDX-License-Identifier: Apache-2.0
// A thread's few free slots of one size class (Bonwick and Adams, "Magazines and
// Vmem", USENIX 2001): one cache line, no lock, no locked instruction. The slots
// are zero and belong to nobody.
#pragma once

#include <stdint.h>

#include "preload/fence/size_classes.h"

namespace pagewarden {

inline constexpr uint32_t kMagazineRounds = 15;

// A round is a slot's offset in the arena, in these units: slots are multiples of it.
inline constexpr size_t kRoundUnit = 16;

class alignas(64) Magazine {
 public:
  // Written by the row's thread alone; others may look (Arena::BytesInMagazines).
  uint32_t count() const { return __atomic_load_n(&count_, __ATOMIC_RELAXED); }
  uint32_t operator[](uint32_t i) const { return rounds_[i]; }

  // Precondition: there is room.
  void Push(uint32_t round) {
    rounds_[count_] = round;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);  // a fork child may take the row over here
    SetCount(count_ + 1);
  }

  // Precondition: not empty.
  uint32_t Pop() {
    SetCount(count_ - 1);
    return rounds_[count_];
  }

  // Drops the oldest: the newest are in the cache.
  void DropFirst(uint32_t n) {
    SetCount(count_ - n);
    for (uint32_t i = 0; i < count_; ++i) rounds_[i] = rounds_[n + i];
  }

 private:
  void SetCount(uint32_t count) { __atomic_store_n(&count_, count, __ATOMIC_RELAXED); }

  uint32_t count_;
  uint32_t rounds_[kMagazineRounds];
};
static_assert(sizeof(Magazine) == 64);

// From a thread row's magazines to the next one's.
inline constexpr uint32_t kMagazineStride = 32;
static_assert(kClasses <= kMagazineStride);

// How many rounds a magazine may hold, for `rows` threads that use a handful of
// classes each to keep no more than a quarter of the arena. 0: none is worth it.
constexpr uint32_t MagazineLimit(uint8_t slot_class, uint64_t arena_bytes, uint32_t rows) {
  constexpr uint64_t kHandful = 8;
  const uint64_t rounds = arena_bytes / 4 / kHandful / rows / kSlotBytes[slot_class];
  return rounds > kMagazineRounds ? kMagazineRounds : static_cast<uint32_t>(rounds);
}

}  // namespace pagewarden
