// SPDX-License-Identifier: Apache-2.0
// A thread's few free slots of one size class (Bonwick and Adams, "Magazines and
// Vmem", USENIX 2001): one cache line, no lock, no locked instruction. The slots
// are zero and belong to nobody.
#pragma once

#include <stdint.h>

#include "preload/size_classes.h"

namespace pagewarden {

inline constexpr uint32_t kMagazineRounds = 15;

struct alignas(64) Magazine {
  uint32_t count;
  uint32_t rounds[kMagazineRounds];  // slot addresses: offset in the arena / 16
};
static_assert(sizeof(Magazine) == 64);

// How many rounds a magazine may hold: little enough that idle threads do not
// starve a small arena.
constexpr uint32_t MagazineLimit(uint8_t slot_class, uint64_t arena_bytes) {
  constexpr uint64_t kShare = 128;  // of the arena, for a thread and class
  const uint64_t rounds = arena_bytes / kShare / kSlotBytes[slot_class];
  return rounds < 1 ? 1 : rounds > kMagazineRounds ? kMagazineRounds : static_cast<uint32_t>(rounds);
}

}  // namespace pagewarden
