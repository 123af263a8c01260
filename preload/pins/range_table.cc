// SPDX-License-Identifier: Apache-2.0
#include "preload/pins/range_table.h"

#include "preload/base/sys.h"

namespace pagewarden {
namespace {

constexpr uint64_t kFirstBytes = 64 << 10;

uint64_t Size(const PinnedRange& range) { return range.end - range.begin; }

bool AreOne(const PinnedRange& a, const PinnedRange& b) {
  return a.end == b.begin && a.source == b.source && a.state == b.state;
}

}  // namespace

uint32_t RangeTable::FirstAfter(uint64_t address) const {
  uint32_t low = 0, high = count_;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (ranges_[middle].end > address)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

bool RangeTable::Reserve(uint32_t count) {
  if (count <= capacity_) return true;
  const uint64_t before = uint64_t{capacity_} * sizeof(PinnedRange);
  const uint64_t after = before == 0 ? kFirstBytes : 2 * before;
  const long at = before == 0 ? sys::Map(after) : sys::Enlarge(ranges_, before, after);
  if (sys::Failed(at)) return false;
  ranges_ = reinterpret_cast<PinnedRange*>(at);
  capacity_ = static_cast<uint32_t>(after / sizeof(PinnedRange));
  return true;
}

bool RangeTable::Insert(uint32_t at, const PinnedRange& range) {
  if (!Reserve(count_ + 1)) return false;
  for (uint32_t i = count_; i > at; --i) ranges_[i] = ranges_[i - 1];
  ++count_;
  ranges_[at] = range;
  BytesOf(at) += Size(range);
  return true;
}

void RangeTable::Remove(uint32_t at) {
  BytesOf(at) -= Size(ranges_[at]);
  --count_;
  for (uint32_t i = at; i < count_; ++i) ranges_[i] = ranges_[i + 1];
}

void RangeTable::Resize(uint32_t at, uint64_t begin, uint64_t end) {
  BytesOf(at) += (end - begin) - Size(ranges_[at]);
  ranges_[at].begin = begin;
  ranges_[at].end = end;
}

void RangeTable::MergeWithNext(uint32_t at) {
  if (at + 1 >= count_ || !AreOne(ranges_[at], ranges_[at + 1])) return;
  const uint64_t end = ranges_[at + 1].end;
  Remove(at + 1);
  Resize(at, ranges_[at].begin, end);
}

bool RangeTable::Set(const PinnedRange& range) {
  if (!Reserve(count_ + 2)) return false;  // a range may part another in two
  Clear(range.begin, range.end);
  const uint32_t at = FirstAfter(range.begin);
  if (!Insert(at, range)) return false;
  MergeWithNext(at);
  if (at > 0) MergeWithNext(at - 1);
  return true;
}

void RangeTable::Clear(uint64_t begin, uint64_t end) {
  for (uint32_t i = FirstAfter(begin); i < count_ && ranges_[i].begin < end;) {
    const PinnedRange range = ranges_[i];
    if (range.begin < begin && range.end > end) {
      PinnedRange rest = range;
      rest.begin = end;
      // Without room for the rest, it is forgotten: too little is booked, never too much.
      Resize(i, range.begin, begin);
      Insert(i + 1, rest);
      return;
    }
    if (range.begin < begin) {
      Resize(i++, range.begin, begin);
    } else if (range.end > end) {
      Resize(i++, end, range.end);
    } else {
      Remove(i);
    }
  }
}

void RangeTable::ClearSource(PinSource source) {
  for (uint32_t i = count_; i-- > 0;)
    if (ranges_[i].source == source) Remove(i);
}

}  // namespace pagewarden
