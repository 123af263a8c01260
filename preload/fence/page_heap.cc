// SPDX-License-Identifier: Apache-2.0
#include "preload/fence/page_heap.h"

#include "preload/fence/size_classes.h"

namespace pagewarden {

void PageList::Push(PageRecord* records, uint32_t page) {
  PageRecord& record = records[page];
  record.prev = kNoPage;
  record.next = head_;
  if (head_ != kNoPage) records[head_].prev = page;
  head_ = page;
}

void PageList::Remove(PageRecord* records, uint32_t page) {
  const PageRecord& record = records[page];
  if (record.prev != kNoPage) {
    records[record.prev].next = record.next;
  } else {
    head_ = record.next;
  }
  if (record.next != kNoPage) records[record.next].prev = record.prev;
}

PageHeap::PageHeap(PageRecord* records, const void* base)
    : records_(records), first_page_(reinterpret_cast<uint64_t>(base) / kPageBytes) {}

void PageHeap::Extend(uint32_t count) {
  const uint32_t first = pages_;
  pages_ += count;
  pages_in_use_ += count;
  Give(first, count);
}

uint32_t PageHeap::Take(uint32_t count, size_t alignment) {
  const uint32_t extent = FindExtent(count, alignment);
  if (extent == kNoPage) return kNoPage;
  // Single pages, for slabs, come from below, the others from above: large
  // blocks do not get stuck between slabs.
  const bool single = count == 1 && alignment <= kPageBytes;
  const uint32_t first = single ? extent : Place(extent, count, alignment);
  const uint32_t end = extent + records_[extent].run_pages;
  Withdraw(extent);
  if (first != extent) Insert(extent, first - extent);
  if (first + count != end) Insert(first + count, end - first - count);
  pages_in_use_ += count;
  return first;
}

void PageHeap::Give(uint32_t first, uint32_t count) {
  pages_in_use_ -= count;
  for (uint32_t i = 0; i < count; ++i) records_[first + i].kind = kFreePage;
  uint32_t end = first + count;
  if (first != 0 && records_[first - 1].kind == kFreePage) {
    first -= records_[first - 1].run_pages;
    Withdraw(first);
  }
  if (end != pages_ && records_[end].kind == kFreePage) {
    const uint32_t next = end;
    end += records_[next].run_pages;
    Withdraw(next);
  }
  Insert(first, end - first);
}

uint32_t PageHeap::Place(uint32_t extent, uint32_t count, size_t alignment) const {
  const uint32_t length = records_[extent].run_pages;
  if (length < count) return kNoPage;
  const uint64_t highest = first_page_ + extent + length - count;
  const uint64_t step = alignment <= kPageBytes ? 1 : alignment / kPageBytes;
  const uint64_t page = highest / step * step;
  return page < first_page_ + extent ? kNoPage : static_cast<uint32_t>(page - first_page_);
}

// The first extent that fits, from the shortest lists up.
uint32_t PageHeap::FindExtent(uint32_t count, size_t alignment) const {
  for (uint32_t bin = BinOf(count); bin < kBins; ++bin)
    for (uint32_t extent = bins_[bin].head(); extent != kNoPage; extent = records_[extent].next)
      if (Place(extent, count, alignment) != kNoPage) return extent;
  return kNoPage;
}

void PageHeap::Insert(uint32_t first, uint32_t count) {
  records_[first].run_pages = records_[first + count - 1].run_pages = count;
  bins_[BinOf(count)].Push(records_, first);
}

void PageHeap::Withdraw(uint32_t first) {
  bins_[BinOf(records_[first].run_pages)].Remove(records_, first);
}

}  // namespace pagewarden
