// SPDX-License-Identifier: Apache-2.0
// Slot sizes of the arena. A slot is the block, its canary and the trailer; all
// slabs are one page, so that a 64 KiB limit still leaves room for many sizes.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace pagewarden {

inline constexpr size_t kPageBytes = 4096;
inline constexpr size_t kTrailerBytes = 8;
inline constexpr size_t kMinCanaryBytes = 8;
inline constexpr size_t kOverhead = kTrailerBytes + kMinCanaryBytes;

// The largest multiples of 16 of which k fit a page, for the useful k.
inline constexpr uint16_t kSlotBytes[] = {32,  48,  64,  80,  96,   112,  128, 144,
                                          160, 192, 224, 256, 304,  336,  400, 448,
                                          512, 576, 672, 816, 1024, 1360, 2048};
inline constexpr uint8_t kClasses = sizeof(kSlotBytes) / sizeof(kSlotBytes[0]);
inline constexpr size_t kLargestSlot = kSlotBytes[kClasses - 1];
inline constexpr size_t kLargestSmall = kLargestSlot - kOverhead;

constexpr uint32_t SlotsPerPage(uint8_t c) { return kPageBytes / kSlotBytes[c]; }
inline constexpr uint32_t kMaxSlots = SlotsPerPage(0);
static_assert(kMaxSlots <= 128, "a slab's bitmap has two words");

struct ClassTable {
  uint8_t of[kLargestSlot / 16 + 1];

  constexpr ClassTable() : of() {
    uint8_t c = 0;
    for (size_t units = 0; units <= kLargestSlot / 16; ++units) {
      if (units * 16 > kSlotBytes[c]) ++c;
      of[units] = c;
    }
  }
};
inline constexpr ClassTable kClassTable;

// The smallest class with room for `bytes`, at most kLargestSmall.
constexpr uint8_t ClassFor(size_t bytes) { return kClassTable.of[(bytes + kOverhead + 15) / 16]; }

// offset / kSlotBytes[c] for offset < 4096, by multiplication.
struct Reciprocals {
  uint64_t of[kClasses];

  constexpr Reciprocals() : of() {
    for (uint8_t c = 0; c < kClasses; ++c) of[c] = (1ull << 32) / kSlotBytes[c] + 1;
  }
};
inline constexpr Reciprocals kReciprocals;

constexpr uint32_t SlotAt(uint32_t offset, uint8_t c) {
  return static_cast<uint32_t>((offset * kReciprocals.of[c]) >> 32);
}

constexpr bool ReciprocalsAreExact() {
  for (uint8_t c = 0; c < kClasses; ++c)
    for (uint32_t offset = 0; offset < kPageBytes; ++offset)
      if (SlotAt(offset, c) != offset / kSlotBytes[c]) return false;
  return true;
}
static_assert(ReciprocalsAreExact());

}  // namespace pagewarden
