// SPDX-License-Identifier: Apache-2.0
#include "preload/fence/arena.h"

#include "preload/base/ledger.h"
#include "preload/base/mem.h"
#include "preload/base/report.h"
#include "preload/base/sys.h"
#include "preload/fence/thread_rows.h"

namespace pagewarden {
namespace {

constexpr size_t kNaturalAlignment = 16;

void SetInArena(bool inside) {
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  pw_thread.in_arena = inside;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

class Inside {
 public:
  explicit Inside(Lock& lock) : lock_(lock) {
    SetInArena(true);
    lock_.Acquire();
  }
  ~Inside() {
    lock_.Release();
    SetInArena(false);
  }

 private:
  Lock& lock_;
};

// Free, or a block that the kernel wiped: the trailer of a live one is not zero.
bool IsZero(const unsigned char* slot, size_t bytes) {
  return reinterpret_cast<const uint64_t*>(slot + bytes)[-1] == 0;
}

// Slots whose size is a power of two are aligned to it.
uint8_t ClassForAligned(size_t bytes, size_t alignment) {
  if (bytes <= kLargestSmall && alignment <= kNaturalAlignment) return ClassFor(bytes);
  for (size_t slot = kSlotBytes[0]; slot <= kLargestSlot; slot *= 2)
    if (slot >= alignment && slot >= bytes + kOverhead) return kClassTable.of[slot / 16];
  return kClasses;
}

}  // namespace

Arena::Arena(const abi::ArenaEntry& policy, const Backing& backing, const Tables& tables)
    : base_(backing.base()),
      reserved_bytes_(backing.reserved_bytes()),
      records_(tables.records),
      magazines_(tables.magazines),
      key_(tables.key),
      books_(tables.books),
      book_(tables.book),
      canary_((policy.flags & abi::kArenaCanary) != 0),
      on_exhausted_(policy.on_capacity_exhausted),
      on_lock_failure_(policy.on_lock_failure),
      on_fork_(policy.on_fork),
      slabs_(backing, tables.records, tables.book) {
  LimitMagazines();
  TakeOverBacking();
}

PW_INLINE void* Arena::TakeRound(Magazine& magazine, uint8_t slot_class, size_t bytes, uint32_t tag,
                                 uint32_t row) {
  const size_t slot_bytes = kSlotBytes[slot_class];
  unsigned char* slot = base_ + size_t{magazine.Pop()} * kRoundUnit;
  const Canary canary(*key_, slot, slot + slot_bytes);
  if (PW_UNLIKELY(!canary.IsEmpty()))
    Corrupt(abi::kViolationCanary, "write to a block that was freed", slot, slot_bytes);
  canary.Place(bytes, tag);
  books_->CountIn(row, tag, slot_bytes);
  return slot;
}

void* Arena::Allocate(size_t bytes, size_t alignment, uint32_t tag) {
  const uint32_t row = pw_thread.row % kRows;
  if (PW_UNLIKELY(bytes > kLargestSmall || alignment > kNaturalAlignment || row == kSharedRow))
    return AllocateSlowly(bytes, alignment, tag);
  const uint8_t slot_class = ClassFor(bytes);
  Magazine& magazine = MagazineOf(row, slot_class);
  SetInArena(true);
  if (PW_UNLIKELY(magazine.count() == 0)) return AllocateSlowly(bytes, alignment, tag);
  void* block = TakeRound(magazine, slot_class, bytes, tag, row);
  SetInArena(false);
  return block;
}

__attribute__((noinline)) void* Arena::AllocateSlowly(size_t bytes, size_t alignment,
                                                      uint32_t tag) {
  const uint32_t row = ThreadRow();
  const uint8_t slot_class = ClassForAligned(bytes, alignment);
  if (IsExhausted(slot_class) && MagazineOf(row, slot_class).count() == 0) {
    SetInArena(false);
    return nullptr;
  }
  const Inside inside(lock_);
  if (!is_open() || !MayHold(bytes, alignment)) return nullptr;
  ReviewMagazines();
  if (slot_class == kClasses) return AllocateRun(bytes, alignment, tag, row);
  Magazine& magazine = MagazineOf(row, slot_class);
  if (magazine.count() == 0) {
    if (!slabs_.Fill(magazine, slot_class, MagazineLimitOf(slot_class) / 2 + 1))
      return NoteExhausted(slot_class);
    books_->SamplePeak(tag, kSlotBytes[slot_class]);
  }
  return TakeRound(magazine, slot_class, bytes, tag, row);
}

bool Arena::IsExhausted(uint8_t slot_class) const {
  return slot_class != kClasses &&
         (__atomic_load_n(&exhausted_, __ATOMIC_RELAXED) >> slot_class & 1) != 0;
}

void* Arena::NoteExhausted(uint8_t slot_class) {
  if (!slabs_.backing().may_grow())
    __atomic_fetch_or(&exhausted_, uint64_t{1} << slot_class, __ATOMIC_RELAXED);
  return nullptr;
}

void* Arena::AllocateRun(size_t bytes, size_t alignment, uint32_t tag, uint32_t row) {
  const auto pages = static_cast<uint32_t>((bytes + kOverhead + kPageBytes - 1) / kPageBytes);
  unsigned char* start = slabs_.TakeRun(pages, alignment);
  if (start == nullptr) return nullptr;
  const size_t run_bytes = pages * kPageBytes;
  Canary(*key_, start, start + run_bytes).Place(bytes, tag);
  books_->SamplePeak(tag, run_bytes);
  books_->CountIn(row, tag, run_bytes);
  return start;
}

// Needs no lock: the page of a live block does not change.
PW_INLINE Arena::Slot Arena::Locate(void* block) const {
  const auto offset = static_cast<size_t>(static_cast<unsigned char*>(block) - base_);
  const size_t in_page = offset % kPageBytes;
  const PageRecord& record = records_[offset / kPageBytes];
  auto* start = static_cast<unsigned char*>(block);
  if (PW_LIKELY(record.kind == kSlabPage)) {
    const uint32_t index = SlotAt(in_page, record.slot_class);
    const size_t slot_bytes = kSlotBytes[record.slot_class];
    if (PW_UNLIKELY(index * slot_bytes != in_page || in_page + slot_bytes > kPageBytes))
      RejectPointer(block);
    return {start, slot_bytes, record.slot_class};
  }
  if (PW_UNLIKELY(record.kind != kRunPage || in_page != 0)) RejectPointer(block);
  return {start, record.run_pages * kPageBytes, kClasses};
}

// The canary of a live block that is whole; anything else ends the program.
PW_INLINE Canary Arena::Check(const Slot& slot) const {
  const Canary canary(*key_, slot.start, slot.start + slot.bytes);
  if (PW_UNLIKELY(canary.IsEmpty()))
    Corrupt(abi::kViolationDoubleFree, "double free", slot.start, slot.bytes);
  const bool intact = canary.SizeIsPlausible() && canary.Tag() < books_->tag_count() &&
                      (!has_canary() || canary.IsIntact());
  if (PW_UNLIKELY(!intact))
    Corrupt(abi::kViolationCanary, "canary damaged: a write went past the end of a block",
            slot.start, slot.bytes);
  return canary;
}

PW_INLINE void Arena::PutRound(Magazine& magazine, const unsigned char* slot) const {
  const auto offset = static_cast<size_t>(slot - base_);
  magazine.Push(static_cast<uint32_t>(offset / kRoundUnit));
}

void Arena::Free(void* block) {
  if (PW_UNLIKELY(!inherited_)) return;  // there is nothing here in this child
  const Slot slot = Locate(block);
  if (PW_UNLIKELY(IsZero(slot.start, slot.bytes)) && IsLeftover()) return;
  const uint32_t tag = Check(slot).Tag();
  const uint32_t row = pw_thread.row % kRows;
  WipeSlot(slot.start, slot.bytes);
  if (PW_UNLIKELY(slot.slot_class == kClasses || row == kSharedRow))
    return FreeSlowly(slot.start, tag);
  Magazine& magazine = MagazineOf(row, slot.slot_class);
  SetInArena(true);
  if (PW_UNLIKELY(magazine.count() >= MagazineLimitOf(slot.slot_class)))
    return FreeSlowly(slot.start, tag);
  PutRound(magazine, slot.start);
  books_->CountOut(row, tag, slot.bytes);
  SetInArena(false);
}

// `block` is wiped.
__attribute__((noinline)) void Arena::FreeSlowly(void* block, uint32_t tag) {
  const uint32_t row = ThreadRow();
  const Inside inside(lock_);
  if (closed_) return;  // nobody gets it again
  ReviewMagazines();
  __atomic_store_n(&exhausted_, 0, __ATOMIC_RELAXED);
  const Slot slot = Locate(block);
  if (slot.slot_class != kClasses) {
    Magazine& magazine = MagazineOf(row, slot.slot_class);
    const uint32_t limit = MagazineLimitOf(slot.slot_class);
    if (magazine.count() >= limit) slabs_.Empty(magazine, magazine.count() - limit / 2);
    PutRound(magazine, slot.start);
    if (limit == 0) slabs_.Empty(magazine, magazine.count());
  } else {
    slabs_.GiveRun(slot.start);
  }
  books_->CountOut(row, tag, slot.bytes);
}

size_t Arena::UsableSize(void* block) {
  const Slot slot = Locate(block);
  const bool unknown = !inherited_ || (PW_UNLIKELY(IsZero(slot.start, slot.bytes)) && IsLeftover());
  return unknown ? slot.bytes - kOverhead : Check(slot).Bytes();
}

uint32_t Arena::TagOf(void* block) {
  const Slot slot = Locate(block);
  const uint32_t tag = Canary(*key_, slot.start, slot.start + slot.bytes).Tag();
  return tag < books_->tag_count() ? tag : 0;  // of a leftover, nothing is known
}

bool Arena::ResizeInPlace(void* block, size_t bytes, bool even_if_wasteful) {
  const Slot slot = Locate(block);
  if (PW_UNLIKELY(IsZero(slot.start, slot.bytes)) && IsLeftover())
    return bytes <= slot.bytes - kOverhead;
  const Canary canary = Check(slot);
  const size_t before = canary.Bytes();
  if (bytes > slot.bytes - kOverhead) return false;
  const bool wasteful = bytes < before && slot.bytes > kSlotBytes[0] && bytes < slot.bytes / 4;
  if (wasteful && !even_if_wasteful) return false;
  // Everything behind the smaller of the two sizes is canary or stale secret.
  const size_t keep = before < bytes ? before : bytes;
  const uint32_t tag = canary.Tag();
  WipeBytes(slot.start + keep, slot.bytes - keep);
  canary.Place(bytes, tag);
  return true;
}

PW_COLD void Arena::RejectPointer(void* block) const {
  const auto offset = static_cast<size_t>(static_cast<unsigned char*>(block) - base_);
  const size_t in_page = offset % kPageBytes;
  const PageRecord& record = records_[offset / kPageBytes];
  if (record.kind == kFreePage)
    Corrupt(abi::kViolationWildFree, "free of a pointer that is not a block");
  if (record.kind != kSlabPage) Corrupt(abi::kViolationWildFree, "free inside a block");
  const size_t slot_bytes = kSlotBytes[record.slot_class];
  const size_t in_slot = in_page - SlotAt(in_page, record.slot_class) * slot_bytes;
  if (in_page - in_slot + slot_bytes > kPageBytes)  // the rest of the page behind its last slot
    Corrupt(abi::kViolationWildFree, "free of a pointer that is not a block");
  Corrupt(abi::kViolationWildFree, "free inside a block",
          static_cast<unsigned char*>(block) - in_slot, slot_bytes);
}

// A block that the parent allocated, and that the kernel wiped in this child.
PW_COLD bool Arena::IsLeftover() const { return wiped_ || !inherited_; }

// What the fast path needs to know of it.
void Arena::TakeOverBacking() {
  locked_ = slabs_.backing().locked_bytes() != 0;
  inherited_ = slabs_.backing().kind() != abi::ArenaBacking::kNotInherited;
  slabs_.Publish();
  exhausted_ = 0;
}

// Looks now and then at what the magazines hold: those of a thread that has ended keep
// their rounds until another thread takes the row.
void Arena::ReviewMagazines() {
  constexpr uint32_t kNowAndThen = 32;
  if (slow_calls_++ % kNowAndThen == 0 || rows_seen_ != RowsInUse()) LimitMagazines();
}

void Arena::LimitMagazines() {
  constexpr uint64_t kMostShare = 8;
  rows_seen_ = RowsInUse();
  const uint64_t arena_bytes = slabs_.backing().bytes();
  const bool hoarded = BytesInMagazines() > arena_bytes / kMostShare;
  for (uint8_t c = 0; c < kClasses; ++c) {
    const uint32_t limit = hoarded ? 0 : MagazineLimit(c, arena_bytes, rows_seen_);
    __atomic_store_n(&magazine_limits_[c], static_cast<uint8_t>(limit), __ATOMIC_RELAXED);
  }
}

// Others change theirs meanwhile.
uint64_t Arena::BytesInMagazines() const {
  uint64_t bytes = 0;
  for (uint32_t row = 0; row < rows_seen_; ++row)
    for (uint8_t c = 0; c < kClasses; ++c)
      bytes += uint64_t{MagazineOf(row, c).count()} * kSlotBytes[c];
  return bytes;
}

void Arena::EmptyMagazinesOfOthers() {
  for (uint32_t row = 0; row < kRows; ++row)
    for (uint8_t c = 0; c < kClasses && row != pw_thread.row; ++c)
      MagazineOf(row, c).DropFirst(MagazineOf(row, c).count());
}

bool Arena::Adopt(const abi::ArenaEntry& policy) {
  const Inside inside(lock_);
  // Every block has one, whether it is looked at or not.
  __atomic_store_n(&canary_, (policy.flags & abi::kArenaCanary) != 0, __ATOMIC_RELAXED);
  __atomic_store_n(&on_exhausted_, policy.on_capacity_exhausted, __ATOMIC_RELAXED);
  __atomic_store_n(&on_lock_failure_, policy.on_lock_failure, __ATOMIC_RELAXED);
  const bool fits = slabs_.backing().Adopt(policy);
  __atomic_store_n(&exhausted_, 0, __ATOMIC_RELAXED);
  return fits;
}

void Arena::BeforeFork() {
  if (lock_.IsMine()) {
    ++nested_forks_;
  } else {
    lock_.Acquire();
  }
  slabs_.backing().BeforeFork();
}

void Arena::AfterForkInParent() {
  slabs_.backing().AfterForkInParent();
  if (nested_forks_ == 0) return lock_.Release();
  --nested_forks_;
}

void Arena::AfterForkInChild() {
  // A copy is older than what threads have freed since: their rounds may be live in it.
  if (slabs_.backing().AfterForkInChild()) EmptyMagazinesOfOthers();
  wiped_ |= on_fork_ != abi::OnFork::kRelock;
  TakeOverBacking();
  if (nested_forks_ == 0) return lock_.Reset();
  --nested_forks_;
}

void Arena::AfterUnseenFork() {
  if (!lock_.IsMine()) {
    closed_ |= lock_.IsHeld();  // somebody was just changing the tables
    lock_.Reset();
  }
  wiped_ |= on_fork_ != abi::OnFork::kRelock;
  slabs_.backing().AfterUnseenFork();
  TakeOverBacking();
}

PW_COLD void Arena::Corrupt(abi::Violation violation, const char* what, unsigned char* slot,
                            size_t slot_bytes) const {
  Place place = {};
  place.arena = book_->name;
  place.slot_bytes = slot_bytes;
  const Canary canary(*key_, slot, slot + slot_bytes);
  if (slot_bytes != 0 && !canary.IsEmpty() && canary.SizeIsPlausible() &&
      canary.Tag() < books_->tag_count()) {  // else the trailer itself is damaged
    place.rule = books_->tag(canary.Tag()).name;
    place.block_bytes = canary.Bytes();
    place.slot_bytes = 0;
  }
  Die(violation, what, place);
}

}  // namespace pagewarden
