// SPDX-License-Identifier: Apache-2.0
#include "preload/arena.h"

#include "preload/ledger.h"
#include "preload/mem.h"
#include "preload/report.h"
#include "preload/sys.h"
#include "preload/thread.h"

namespace pagewarden {
namespace {

enum PageKind : uint8_t { kFree, kSlab, kRun, kRunBody };

constexpr uint32_t kNone = UINT32_MAX;
constexpr size_t kNaturalAlignment = 16;

// Marks the thread as inside, so that a signal handler's tagged call does not
// wait for a lock that its own thread holds.
class Guard {
 public:
  explicit Guard(Lock& lock) : lock_(lock) {
    pw_thread.in_arena = 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    lock_.Acquire();
  }
  ~Guard() {
    lock_.Release();
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    pw_thread.in_arena = 0;
  }

 private:
  Lock& lock_;
};

}  // namespace

void Arena::Init(unsigned char* base, uint32_t pages, PageRecord* records,
                 const abi::ArenaEntry& policy, const CanaryKey* key, abi::LedgerArena* book) {
  base_ = base;
  pages_ = pages;
  records_ = records;
  for (uint32_t& head : partial_) head = kNone;
  key_ = key;
  canary_ = (policy.flags & abi::kArenaCanary) != 0;
  on_exhausted_ = policy.on_capacity_exhausted;
  on_lock_failure_ = policy.on_lock_failure;
  book_ = book;
}

void* Arena::Allocate(size_t bytes, size_t alignment) {
  if (bytes > this->bytes()) return nullptr;
  Guard guard(lock_);
  if (bytes <= kLargestSmall && alignment <= kNaturalAlignment)
    return AllocateSmall(ClassFor(bytes), bytes);
  // Slots whose size is a power of two are aligned to it.
  for (size_t slot = 32; slot <= kLargestSlot; slot *= 2)
    if (slot >= alignment && slot >= bytes + kOverhead)
      return AllocateSmall(kClassTable.of[slot / 16], bytes);
  return AllocateRun(bytes, alignment);
}

void* Arena::AllocateSmall(uint8_t slot_class, size_t bytes) {
  uint32_t page = partial_[slot_class];
  if (PW_UNLIKELY(page == kNone)) page = NewSlab(slot_class);
  if (PW_UNLIKELY(page == kNone)) return nullptr;
  PageRecord& record = records_[page];
  const uint32_t word = record.free_slots[0] == 0;
  const uint32_t bit = static_cast<uint32_t>(__builtin_ctzll(record.free_slots[word]));
  record.free_slots[word] &= record.free_slots[word] - 1;
  if (--record.free_count == 0) Unlink(slot_class, page);
  const size_t slot_bytes = kSlotBytes[slot_class];
  unsigned char* slot = PageAt(page) + (word * 64 + bit) * slot_bytes;
  Canary(*key_, slot, slot + slot_bytes).Place(bytes);
  CountIn(slot_bytes);
  return slot;
}

uint32_t Arena::NewSlab(uint8_t slot_class) {
  const uint32_t page = FindFreePage();
  if (page == kNone) return kNone;
  PageRecord& record = records_[page];
  const uint32_t slots = SlotsPerPage(slot_class);
  record.kind = kSlab;
  record.slot_class = slot_class;
  record.free_count = static_cast<uint16_t>(slots);
  record.free_slots[0] = slots >= 64 ? ~0ull : (1ull << slots) - 1;
  record.free_slots[1] = slots <= 64 ? 0 : slots == 128 ? ~0ull : (1ull << (slots - 64)) - 1;
  Push(slot_class, page);
  return page;
}

void* Arena::AllocateRun(size_t bytes, size_t alignment) {
  const auto pages = static_cast<uint32_t>((bytes + kOverhead + kPageBytes - 1) / kPageBytes);
  const uint32_t first = FindFreeRun(pages, alignment);
  if (first == kNone) return nullptr;
  records_[first].kind = kRun;
  records_[first].run_pages = pages;
  for (uint32_t i = 1; i < pages; ++i) records_[first + i].kind = kRunBody;
  unsigned char* start = PageAt(first);
  Canary(*key_, start, start + pages * kPageBytes).Place(bytes);
  CountIn(pages * kPageBytes);
  return start;
}

// Slabs fill the arena from below, runs from above.
uint32_t Arena::FindFreePage() const {
  for (uint32_t page = 0; page < pages_; ++page)
    if (records_[page].kind == kFree) return page;
  return kNone;
}

uint32_t Arena::FindFreeRun(uint32_t pages, size_t alignment) const {
  uint32_t free_above = 0;
  for (uint32_t page = pages_; page-- > 0;) {
    free_above = records_[page].kind == kFree ? free_above + 1 : 0;
    const bool aligned = reinterpret_cast<uint64_t>(PageAt(page)) % alignment == 0;
    if (free_above >= pages && aligned) return page;
  }
  return kNone;
}

void Arena::Free(void* block) {
  Guard guard(lock_);
  const Slot slot = Locate(block);
  CheckedBytes(slot);
  WipeWords(slot.start, slot.bytes);
  CountOut(slot.bytes);
  records_[slot.page].kind == kSlab ? ReleaseSlot(slot) : ReleaseRun(slot.page);
}

void Arena::ReleaseSlot(const Slot& slot) {
  PageRecord& record = records_[slot.page];
  record.free_slots[slot.index / 64] |= 1ull << (slot.index % 64);
  if (record.free_count++ == 0) Push(record.slot_class, slot.page);
  const bool empty = record.free_count == SlotsPerPage(record.slot_class);
  const bool only_one = partial_[record.slot_class] == slot.page && record.next == kNone;
  if (!empty || only_one) return;  // the last slab of a class stays, against thrashing
  Unlink(record.slot_class, slot.page);
  record.kind = kFree;
}

void Arena::ReleaseRun(uint32_t page) {
  for (uint32_t i = records_[page].run_pages; i-- > 0;) records_[page + i].kind = kFree;
}

size_t Arena::UsableSize(void* block) {
  Guard guard(lock_);
  return CheckedBytes(Locate(block));
}

bool Arena::ResizeInPlace(void* block, size_t bytes) {
  Guard guard(lock_);
  const Slot slot = Locate(block);
  const size_t before = CheckedBytes(slot);
  if (bytes + kOverhead > slot.bytes || bytes > slot.bytes) return false;
  const bool wasteful = slot.bytes > kSlotBytes[0] && bytes < slot.bytes / 4;
  if (wasteful) return false;
  // Everything behind the smaller of the two sizes is canary or stale secret.
  const size_t keep = before < bytes ? before : bytes;
  WipeBytes(slot.start + keep, slot.bytes - keep);
  Canary(*key_, slot.start, slot.start + slot.bytes).Place(bytes);
  return true;
}

void Arena::Push(uint8_t slot_class, uint32_t page) {
  PageRecord& record = records_[page];
  record.prev = kNone;
  record.next = partial_[slot_class];
  if (record.next != kNone) records_[record.next].prev = page;
  partial_[slot_class] = page;
}

void Arena::Unlink(uint8_t slot_class, uint32_t page) {
  const PageRecord& record = records_[page];
  if (record.prev != kNone) {
    records_[record.prev].next = record.next;
  } else {
    partial_[slot_class] = record.next;
  }
  if (record.next != kNone) records_[record.next].prev = record.prev;
}

Arena::Slot Arena::Locate(void* block) const {
  const auto offset = static_cast<size_t>(static_cast<unsigned char*>(block) - base_);
  const auto page = static_cast<uint32_t>(offset / kPageBytes);
  const auto in_page = static_cast<uint32_t>(offset % kPageBytes);
  const PageRecord& record = records_[page];
  if (PW_LIKELY(record.kind == kSlab)) {
    const uint32_t index = SlotAt(in_page, record.slot_class);
    const uint32_t slot_bytes = kSlotBytes[record.slot_class];
    if (index >= SlotsPerPage(record.slot_class)) Corrupt("free of a pointer that is not a block");
    if ((record.free_slots[index / 64] >> (index % 64)) & 1) Corrupt("double free");
    if (index * slot_bytes != in_page) Corrupt("free inside a block");
    return {static_cast<unsigned char*>(block), slot_bytes, page, index};
  }
  if (record.kind == kFree) Corrupt("free of a pointer that is not a block");
  if (record.kind == kRunBody || in_page != 0) Corrupt("free inside a block");
  return {static_cast<unsigned char*>(block), record.run_pages * kPageBytes, page, 0};
}

size_t Arena::CheckedBytes(const Slot& slot) const {
  const Canary canary(*key_, slot.start, slot.start + slot.bytes);
  if (PW_UNLIKELY(!canary.SizeIsPlausible() || (canary_ && !canary.IsIntact())))
    Corrupt("canary damaged: a write went past the end of a block");
  return canary.Bytes();
}

void Arena::CountIn(size_t slot_bytes) {
  const uint64_t used = book_->used_bytes + slot_bytes;
  Store(book_->used_bytes, used);
  if (used > book_->peak_used_bytes) Store(book_->peak_used_bytes, used);
  Store(book_->live_allocations, book_->live_allocations + 1);
  Store(book_->total_allocations, book_->total_allocations + 1);
}

void Arena::CountOut(size_t slot_bytes) {
  Store(book_->used_bytes, book_->used_bytes - slot_bytes);
  Store(book_->live_allocations, book_->live_allocations - 1);
}

long Arena::Relock() {
  if (book_->locked_bytes == 0) return 0;
  const long result = sys::LockOnFault(base_, bytes());
  Store(book_->locked_bytes, sys::Failed(result) ? 0 : bytes());
  return result;
}

PW_COLD void Arena::Corrupt(const char* what) const { Die(what, book_->name); }

}  // namespace pagewarden
