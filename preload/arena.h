// SPDX-License-Identifier: Apache-2.0
// One arena: locked pages that hold many secrets each. A page is a slab of
// equal slots, or part of a run for a larger block. All bookkeeping lies
// outside, in an unlocked table with one record a page, so that the locked
// memory holds blocks and canaries only and an overflow cannot reach it.
//
// Invariant: every byte of a free slot or page is zero. calloc is malloc, and a
// read after free sees zeros.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/abi/ledger.h"
#include "preload/abi/policy_image.h"
#include "preload/canary.h"
#include "preload/lock.h"
#include "preload/size_classes.h"

namespace pagewarden {

struct PageRecord {
  uint64_t free_slots[2];  // kSlab: a set bit is a free slot
  uint32_t next, prev;     // kSlab with free slots: the class's list
  uint32_t run_pages;      // kRun: length of the run that starts here
  uint16_t free_count;
  uint8_t kind;
  uint8_t slot_class;
};
static_assert(sizeof(PageRecord) == 32);

class Arena {
 public:
  // `records` and the pages from `base` on are zeroed. `pages` may be fewer
  // than the policy asks for, when the limit does not allow to lock more.
  void Init(unsigned char* base, uint32_t pages, PageRecord* records, const abi::ArenaEntry& policy,
            const CanaryKey* key, abi::LedgerArena* book);

  // Zeroed memory, or null when there is no room. `alignment`: a power of two.
  // Thread-safe, as are the next three.
  void* Allocate(size_t bytes, size_t alignment);

  // Aborts the program when `block` is not the start of a live block of this
  // arena, or its canary is damaged.
  void Free(void* block);

  // The size asked for: writing past it would hit the canary.
  size_t UsableSize(void* block);

  // Changes the size in place if the slot has room.
  bool ResizeInPlace(void* block, size_t bytes);

  bool Owns(const void* p) const {
    return reinterpret_cast<uint64_t>(p) - reinterpret_cast<uint64_t>(base_) < bytes();
  }

  // Locks the pages in a fork child, which does not inherit locks (mlock(2)).
  // Returns 0 or a negative errno; then locked_bytes in the book is 0.
  long Relock();

  abi::OnCapacityExhausted on_exhausted() const { return on_exhausted_; }
  abi::OnLockFailure on_lock_failure() const { return on_lock_failure_; }
  abi::LedgerArena& book() { return *book_; }
  size_t bytes() const { return size_t{pages_} * kPageBytes; }
  Lock& lock() { return lock_; }

 private:
  struct Slot {
    unsigned char* start;
    size_t bytes;
    uint32_t page;
    uint32_t index;  // in the slab
  };

  void* AllocateSmall(uint8_t slot_class, size_t bytes);
  void* AllocateRun(size_t bytes, size_t alignment);
  uint32_t NewSlab(uint8_t slot_class);
  void ReleaseSlot(const Slot& slot);
  void ReleaseRun(uint32_t page);
  uint32_t FindFreePage() const;
  uint32_t FindFreeRun(uint32_t pages, size_t alignment) const;

  void Push(uint8_t slot_class, uint32_t page);
  void Unlink(uint8_t slot_class, uint32_t page);

  Slot Locate(void* block) const;
  size_t CheckedBytes(const Slot& slot) const;
  void CountIn(size_t slot_bytes);
  void CountOut(size_t slot_bytes);
  [[noreturn]] void Corrupt(const char* what) const;

  unsigned char* PageAt(uint32_t page) const { return base_ + size_t{page} * kPageBytes; }

  Lock lock_;
  unsigned char* base_;
  uint32_t pages_;
  PageRecord* records_;
  uint32_t partial_[kClasses];  // slabs with free slots; kNone ends a list
  const CanaryKey* key_;
  bool canary_;
  abi::OnCapacityExhausted on_exhausted_;
  abi::OnLockFailure on_lock_failure_;
  abi::LedgerArena* book_;
};

}  // namespace pagewarden
