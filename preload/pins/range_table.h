// SPDX-License-Identifier: Apache-2.0
// Disjoint address ranges with a state each, in order: the books of what is locked
// in place. The memory is the kernel's, since the shim has no heap, and grows with
// the table. Not thread-safe.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace pagewarden {

// What a range is, which tells when it ends.
enum class PinSource : uint8_t { kEnvironment, kData, kMapping, kStack, kProcess };
inline constexpr size_t kPinSources = 5;

enum class PinState : uint8_t {
  kLocked,
  kUnlocked,  // should be locked, and is not
  kIdle,      // cannot be written: nothing to lock yet
};
inline constexpr size_t kPinStates = 3;

struct PinnedRange {
  uint64_t begin;
  uint64_t end;
  PinSource source;
  PinState state;
};

class RangeTable {
 public:
  // Puts the range in place of whatever was booked there. False: no memory; then
  // the range is not booked at all.
  bool Set(const PinnedRange& range);

  // Books nothing for [begin, end) from now on.
  void Clear(uint64_t begin, uint64_t end);
  void ClearSource(PinSource source);

  // The first range that ends behind `address`; count() if there is none.
  uint32_t FirstAfter(uint64_t address) const;

  uint32_t count() const { return count_; }
  const PinnedRange& operator[](uint32_t i) const { return ranges_[i]; }

  uint64_t bytes(PinState state) const { return bytes_[static_cast<size_t>(state)]; }

 private:
  bool Reserve(uint32_t count);
  bool Insert(uint32_t at, const PinnedRange& range);
  void Remove(uint32_t at);
  void Resize(uint32_t at, uint64_t begin, uint64_t end);
  void MergeWithNext(uint32_t at);
  uint64_t& BytesOf(uint32_t at) { return bytes_[static_cast<size_t>(ranges_[at].state)]; }

  PinnedRange* ranges_ = nullptr;
  uint32_t count_ = 0;
  uint32_t capacity_ = 0;
  uint64_t bytes_[kPinStates] = {};
};

}  // namespace pagewarden
