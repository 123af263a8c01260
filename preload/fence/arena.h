// SPDX-License-Identifier: Apache-2.0
// One arena: locked pages that hold many secrets each. A page is a slab of
// equal slots, or part of a run for a larger block. All bookkeeping lies
// outside, in unlocked tables, so that the locked memory holds blocks and
// canaries only and an overflow cannot reach it.
//
// A thread takes slots from its own magazines and puts them back there, without
// a lock; magazines are filled from the slabs, and emptied to them, several
// slots at a time under the arena's lock.
//
// Invariant: every byte of a free slot or page is zero. calloc is malloc, a read
// after free sees zeros, and a slot's trailer tells whether it is live.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/abi/ledger.h"
#include "preload/abi/policy_image.h"
#include "preload/base/lock.h"
#include "preload/fence/books.h"
#include "preload/fence/canary.h"
#include "preload/fence/magazine.h"
#include "preload/fence/size_classes.h"
#include "preload/fence/slabs.h"

namespace pagewarden {

class Arena {
 public:
  struct Tables {
    PageRecord* records;  // zeroed, one a page of the reservation
    Magazine* magazines;  // zeroed, kRows * kMagazineStride
    const CanaryKey* key;
    Books* books;
    abi::LedgerArena* book;
  };

  Arena(const abi::ArenaEntry& policy, const Backing& backing, const Tables& tables);

  // Zeroed memory, or null when there is no room. `alignment`: a power of two;
  // `tag`: whose books it goes to. Thread-safe, as are the next three.
  void* Allocate(size_t bytes, size_t alignment, uint32_t tag);

  // Aborts the program when `block` is not the start of a live block of this
  // arena, or its canary is damaged.
  void Free(void* block);

  // The size asked for: writing past it would hit the canary.
  size_t UsableSize(void* block);

  // Whose books the block is in.
  uint32_t TagOf(void* block);

  // Changes the size in place if the slot has room; not, if a much smaller one would
  // do, unless `even_if_wasteful`.
  bool ResizeInPlace(void* block, size_t bytes, bool even_if_wasteful);

  bool Owns(const void* p) const {
    return reinterpret_cast<uint64_t>(p) - reinterpret_cast<uint64_t>(base_) < reserved_bytes_;
  }

  // fork(2): the lock is held across it, and the child locks the memory again, or
  // gives it up.
  void BeforeFork();
  void AfterForkInParent();
  void AfterForkInChild();
  void AfterUnseenFork();

  // Takes over what another policy says of the arena, as far as a running process can.
  // False: some of it needs a restart. Thread-safe.
  bool Adopt(const abi::ArenaEntry& policy);

  abi::OnCapacityExhausted on_exhausted() const {
    return __atomic_load_n(&on_exhausted_, __ATOMIC_RELAXED);
  }
  abi::OnLockFailure on_lock_failure() const {
    return __atomic_load_n(&on_lock_failure_, __ATOMIC_RELAXED);
  }
  bool is_locked() const { return locked_; }
  // False in a fork child that got no usable copy of the arena.
  bool is_open() const { return inherited_ && !closed_; }
  // Whether a block of this kind could ever be had.
  bool MayHold(size_t bytes, size_t alignment) const {
    return bytes <= reserved_bytes_ && alignment <= reserved_bytes_;
  }
  const abi::LedgerArena& book() const { return *book_; }

 private:
  bool has_canary() const { return __atomic_load_n(&canary_, __ATOMIC_RELAXED); }

  struct Slot {
    unsigned char* start;
    size_t bytes;
    uint32_t slot_class;  // kClasses: a run of pages
  };

  void* AllocateSlowly(size_t bytes, size_t alignment, uint32_t tag);
  void FreeSlowly(void* block, uint32_t tag);
  void* TakeRound(Magazine& magazine, uint8_t slot_class, size_t bytes, uint32_t tag, uint32_t row);
  void PutRound(Magazine& magazine, const unsigned char* slot) const;

  void* AllocateRun(size_t bytes, size_t alignment, uint32_t tag, uint32_t row);

  bool IsExhausted(uint8_t slot_class) const;
  void* NoteExhausted(uint8_t slot_class);

  void TakeOverBacking();
  void ReviewMagazines();
  void LimitMagazines();
  uint64_t BytesInMagazines() const;
  void EmptyMagazinesOfOthers();
  Slot Locate(void* block) const;
  [[noreturn]] void RejectPointer(void* block) const;
  Canary Check(const Slot& slot) const;
  bool IsLeftover() const;
  [[noreturn]] void Corrupt(abi::Violation violation, const char* what,
                            unsigned char* slot = nullptr, size_t slot_bytes = 0) const;

  Magazine& MagazineOf(uint32_t row, uint8_t slot_class) const {
    return magazines_[row * kMagazineStride + slot_class];
  }

  uint32_t MagazineLimitOf(uint32_t slot_class) const {
    return __atomic_load_n(&magazine_limits_[slot_class], __ATOMIC_RELAXED);
  }

  // Read on the fast path, constant after start but for what Adopt changes.
  unsigned char* base_;
  size_t reserved_bytes_;
  PageRecord* records_;
  Magazine* magazines_;
  const CanaryKey* key_;
  Books* books_;
  abi::LedgerArena* book_;
  uint8_t magazine_limits_[kClasses];
  bool canary_;
  bool locked_ = false;
  bool inherited_ = true;  // false: fork child under onFork: Exclude
  bool closed_ = false;    // raw clone's child, whose copy of the tables is torn
  bool wiped_ = false;     // fork child under onFork: Wipe: live blocks may be zero
  abi::OnCapacityExhausted on_exhausted_;
  abi::OnLockFailure on_lock_failure_;
  abi::OnFork on_fork_;

  // Classes of slots of which the last look found none: a hint that spares the lock
  // those who would find nothing either. Never set where the arena can grow.
  alignas(64) uint64_t exhausted_ = 0;

  // Under the lock.
  alignas(64) Lock lock_;
  uint32_t nested_forks_ = 0;  // by signal handlers of the lock's owner
  uint32_t rows_seen_ = 0;     // that the magazines' limits are made for
  uint32_t slow_calls_ = 0;
  Slabs slabs_;
};

}  // namespace pagewarden
