// SPDX-License-Identifier: Apache-2.0
// What an arena's magazines are filled from and emptied to: pages cut into equal
// slots (slabs), and runs of pages for larger blocks. Grows by the policy.
//
// Not thread-safe: the arena's lock covers it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/abi/ledger.h"
#include "preload/fence/backing.h"
#include "preload/fence/magazine.h"
#include "preload/fence/page_heap.h"
#include "preload/fence/size_classes.h"

namespace pagewarden {

class Slabs {
 public:
  // `records` are zero, one a page of the reservation.
  Slabs(const Backing& backing, PageRecord* records, abi::LedgerArena* book);

  // Puts free slots of the class into the magazine until it holds `wanted`, or
  // there are no more. False: it is still empty.
  bool Fill(Magazine& magazine, uint8_t slot_class, uint32_t wanted);

  // Takes the `count` oldest slots back: the newest are in the cache.
  void Empty(Magazine& magazine, uint32_t count);

  // `pages` zeroed pages in a row, aligned; null if there are none.
  unsigned char* TakeRun(uint32_t pages, size_t alignment);
  void GiveRun(const unsigned char* start);

  Backing& backing() { return backing_; }

  // Copies the backing's state to the ledger.
  void Publish();

 private:
  uint32_t NewSlab(uint8_t slot_class);
  void ReturnSlot(uint32_t round);
  uint32_t TakePages(uint32_t count, size_t alignment);
  void GivePages(uint32_t first, uint32_t count);
  void ReleaseEmptySlabs();
  bool Grow(uint32_t count);
  [[noreturn]] void DoubleFree(uint8_t slot_class) const;

  PageRecord* records_;
  abi::LedgerArena* book_;
  Backing backing_;
  PageHeap pages_;
  PageList partial_[kClasses];  // slabs with free slots
  uint32_t empty_slabs_ = 0;    // of those, with nothing but free slots
};

}  // namespace pagewarden
