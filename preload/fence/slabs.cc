// SPDX-License-Identifier: Apache-2.0
#include "preload/fence/slabs.h"

#include "preload/base/ledger.h"
#include "preload/base/macros.h"
#include "preload/base/report.h"

namespace pagewarden {

Slabs::Slabs(const Backing& backing, PageRecord* records, abi::LedgerArena* book)
    : records_(records), book_(book), backing_(backing), pages_(records, backing.base()) {
  const auto pages = static_cast<uint32_t>(backing.bytes() / kPageBytes);
  if (pages != 0) pages_.Extend(pages);
}

void Slabs::Publish() {
  Store(book_->capacity_bytes, backing_.bytes());
  Store(book_->locked_bytes, backing_.locked_bytes());
  const abi::ArenaBacking kind = backing_.kind();
  __atomic_store(&book_->backing, &kind, __ATOMIC_RELAXED);
}

bool Slabs::Fill(Magazine& magazine, uint8_t slot_class, uint32_t wanted) {
  PageList& partial = partial_[slot_class];
  while (magazine.count() < wanted) {
    const uint32_t page = partial.head() != kNoPage ? partial.head() : NewSlab(slot_class);
    if (page == kNoPage) break;
    PageRecord& record = records_[page];
    if (record.free_count == SlotsPerPage(slot_class)) --empty_slabs_;
    const uint32_t word = record.free_slots[0] == 0;
    const auto bit = static_cast<uint32_t>(__builtin_ctzll(record.free_slots[word]));
    record.free_slots[word] &= record.free_slots[word] - 1;
    if (--record.free_count == 0) partial.Remove(records_, page);
    const size_t offset = page * kPageBytes + size_t{word * 64 + bit} * kSlotBytes[slot_class];
    magazine.Push(static_cast<uint32_t>(offset / kRoundUnit));
  }
  return magazine.count() != 0;
}

void Slabs::Empty(Magazine& magazine, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) ReturnSlot(magazine[i]);
  magazine.DropFirst(count);
}

unsigned char* Slabs::TakeRun(uint32_t pages, size_t alignment) {
  const uint32_t first = TakePages(pages, alignment);
  if (first == kNoPage) return nullptr;
  records_[first].kind = kRunPage;
  records_[first].run_pages = pages;
  for (uint32_t i = 1; i < pages; ++i) records_[first + i].kind = kRunBodyPage;
  return backing_.base() + size_t{first} * kPageBytes;
}

void Slabs::GiveRun(const unsigned char* start) {
  const auto first = static_cast<uint32_t>((start - backing_.base()) / kPageBytes);
  GivePages(first, records_[first].run_pages);
}

uint32_t Slabs::NewSlab(uint8_t slot_class) {
  const uint32_t page = TakePages(1, kPageBytes);
  if (page == kNoPage) return kNoPage;
  PageRecord& record = records_[page];
  const uint32_t slots = SlotsPerPage(slot_class);
  record.kind = kSlabPage;
  record.slot_class = slot_class;
  record.free_count = static_cast<uint16_t>(slots);
  record.free_slots[0] = slots >= 64 ? ~0ull : (1ull << slots) - 1;
  record.free_slots[1] = slots <= 64 ? 0 : slots == 128 ? ~0ull : (1ull << (slots - 64)) - 1;
  partial_[slot_class].Push(records_, page);
  ++empty_slabs_;
  return page;
}

void Slabs::ReturnSlot(uint32_t round) {
  const size_t offset = size_t{round} * kRoundUnit;
  const auto page = static_cast<uint32_t>(offset / kPageBytes);
  PageRecord& record = records_[page];
  PageList& partial = partial_[record.slot_class];
  const uint32_t index = SlotAt(offset % kPageBytes, record.slot_class);
  uint64_t& word = record.free_slots[index / 64];
  const uint64_t bit = 1ull << (index % 64);
  if ((word & bit) != 0) DoubleFree(record.slot_class);
  word |= bit;
  if (record.free_count++ == 0) partial.Push(records_, page);
  const bool is_empty = record.free_count == SlotsPerPage(record.slot_class);
  const bool is_last = partial.head() == page && record.next == kNoPage;
  if (is_empty && is_last) ++empty_slabs_;
  if (!is_empty || is_last) return;
  partial.Remove(records_, page);
  GivePages(page, 1);
}

uint32_t Slabs::TakePages(uint32_t count, size_t alignment) {
  uint32_t first = pages_.Take(count, alignment);
  if (PW_UNLIKELY(first == kNoPage)) {
    ReleaseEmptySlabs();
    first = pages_.Take(count, alignment);
  }
  const auto padding = static_cast<uint32_t>(alignment > kPageBytes ? alignment / kPageBytes : 0);
  if (first == kNoPage && Grow(count + padding)) first = pages_.Take(count, alignment);
  const uint64_t in_use = uint64_t{pages_.pages_in_use()} * kPageBytes;
  Store(book_->page_bytes, in_use);
  if (in_use > book_->peak_page_bytes) Store(book_->peak_page_bytes, in_use);
  return first;
}

void Slabs::GivePages(uint32_t first, uint32_t count) {
  pages_.Give(first, count);
  Store(book_->page_bytes, uint64_t{pages_.pages_in_use()} * kPageBytes);
}

// The last slab of each class is kept, against thrashing, until pages are short.
void Slabs::ReleaseEmptySlabs() {
  for (uint8_t c = 0; c < kClasses && empty_slabs_ != 0; ++c) {
    for (uint32_t page = partial_[c].head(); page != kNoPage;) {
      const uint32_t next = records_[page].next;
      if (records_[page].free_count == SlotsPerPage(c)) {
        partial_[c].Remove(records_, page);
        GivePages(page, 1);
        --empty_slabs_;
      }
      page = next;
    }
  }
}

PW_COLD bool Slabs::Grow(uint32_t count) {
  const uint64_t least = uint64_t{count} * kPageBytes;
  const uint64_t grown = backing_.Grow(least);
  if (grown == 0) return false;
  pages_.Extend(static_cast<uint32_t>(grown / kPageBytes));
  Count(book_->growths);
  Publish();
  return true;
}

// Two threads freed a block at the same time, and neither saw the other.
PW_COLD void Slabs::DoubleFree(uint8_t slot_class) const {
  Place place = {};
  place.arena = book_->name;
  place.slot_bytes = kSlotBytes[slot_class];
  Die(abi::kViolationDoubleFree, "double free", place);
}

}  // namespace pagewarden
