// SPDX-License-Identifier: Apache-2.0
// The pages of one arena: which are free, and what the others are. Free pages
// form extents, in lists by the power of two of their length; the records of an
// extent's first and last page hold its length, so that a neighbour that comes
// back merges in constant time (boundary tags: Knuth, TAOCP 1, 2.5).
//
// Not thread-safe: the arena's lock covers it.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace pagewarden {

enum PageKind : uint8_t { kFreePage, kSlabPage, kRunPage, kRunBodyPage };

// One a page, outside the locked memory, where no overflow reaches.
struct PageRecord {
  uint64_t free_slots[2];  // slab: a set bit is a free slot that no magazine holds
  uint32_t next, prev;     // in a list of extents, or of slabs with free slots
  uint32_t run_pages;      // of the run that starts here, or the extent that starts or ends here
  uint16_t free_count;
  uint8_t kind;  // PageKind
  uint8_t slot_class;
};
static_assert(sizeof(PageRecord) == 32);

inline constexpr uint32_t kNoPage = UINT32_MAX;

// Doubly linked through the records.
class PageList {
 public:
  void Push(PageRecord* records, uint32_t page);
  void Remove(PageRecord* records, uint32_t page);
  uint32_t head() const { return head_; }

 private:
  uint32_t head_ = kNoPage;
};

class PageHeap {
 public:
  // `records` are zero. The page at index 0 lies at `base`.
  PageHeap(PageRecord* records, const void* base);

  // Adds `count` free pages behind the last one.
  void Extend(uint32_t count);

  // `count` pages in a row; the first has an address that is a multiple of
  // `alignment`. Their kinds are the caller's to set. kNoPage: no such extent.
  uint32_t Take(uint32_t count, size_t alignment);

  void Give(uint32_t first, uint32_t count);

  uint32_t pages() const { return pages_; }
  uint32_t pages_in_use() const { return pages_in_use_; }

 private:
  static constexpr uint32_t kBins = 32;

  static uint32_t BinOf(uint32_t count) { return 31 - static_cast<uint32_t>(__builtin_clz(count)); }

  // Where in the extent `count` aligned pages start, as high as possible; or kNoPage.
  uint32_t Place(uint32_t extent, uint32_t count, size_t alignment) const;
  uint32_t FindExtent(uint32_t count, size_t alignment) const;
  void Insert(uint32_t first, uint32_t count);
  void Withdraw(uint32_t first);

  PageRecord* records_;
  uint64_t first_page_;  // base / page size
  uint32_t pages_ = 0;
  uint32_t pages_in_use_ = 0;
  PageList bins_[kBins];
};

}  // namespace pagewarden
