// SPDX-License-Identifier: Apache-2.0
// What stands behind a block: bytes keyed by the slot's address, from the first
// byte past the request to the trailer, and the trailer itself, which holds the
// requested size and the tag under the same key. No byte of the canary is zero,
// so that a string's terminator written one too far is found as well. The trailer
// is never zero either, and a free slot is: that tells live from free.
//
//   | block (n bytes) | canary, at least 8 bytes | trailer, 8 bytes |
//
// Blocks larger than a slab slot carry kCanarySpan bytes of canary only.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/base/macros.h"
#include "preload/fence/size_classes.h"

namespace pagewarden {

struct CanaryKey {
  uint64_t words[2];
};

class Canary {
 public:
  static constexpr size_t kCanarySpan = kLargestSlot;

  // [slot, end) is the slot; `end` is 8-aligned.
  Canary(const CanaryKey& key, const void* slot, const void* end)
      : slot_(reinterpret_cast<uint64_t>(slot)),
        end_(reinterpret_cast<uint64_t>(end)),
        mix_(Mix(key, end_)) {}

  // Precondition: everything from slot + bytes on is zero. The block stays as it is.
  void Place(size_t bytes, uint32_t tag) const {
    Trailer() = mix_ ^ (uint64_t{tag} << kTagShift | bytes);
    uint64_t* word = FirstWord(bytes);
    *word |= Pattern() << PartialBits(bytes);
    if (PW_LIKELY(word == LastWord())) return;
    for (const uint64_t* end = EndWord(bytes); ++word < end;) *word = Pattern();
  }

  // The slot is free, or its end was overwritten with zeros.
  bool IsEmpty() const { return Trailer() == 0; }

  // What Place was given. The size is more than the slot holds if it was damaged.
  size_t Bytes() const { return Value() & kBytesMask; }
  uint32_t Tag() const { return static_cast<uint32_t>(Value() >> kTagShift); }

  bool SizeIsPlausible() const { return Bytes() <= end_ - slot_ - kOverhead; }

  // Precondition: SizeIsPlausible.
  bool IsIntact() const {
    const size_t bytes = Bytes();
    const uint64_t* word = FirstWord(bytes);
    uint64_t damage = (*word ^ Pattern() << PartialBits(bytes)) >> PartialBits(bytes);
    if (PW_LIKELY(word == LastWord())) return damage == 0;
    for (const uint64_t* end = EndWord(bytes); ++word < end;) damage |= *word ^ Pattern();
    return damage == 0;
  }

 private:
  static constexpr unsigned kTagShift = 48;
  static constexpr uint64_t kBytesMask = (1ull << kTagShift) - 1;
  static constexpr uint64_t kNeverZero = 1ull << 63;  // no tag reaches this bit

  static uint64_t Mix(const CanaryKey& key, uint64_t address) {
    uint64_t x = (address ^ key.words[0]) * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 32)) * (key.words[1] | 1);
    return (x ^ (x >> 29)) | kNeverZero;
  }

  uint64_t Value() const { return Trailer() ^ mix_; }
  uint64_t& Trailer() const { return reinterpret_cast<uint64_t*>(end_)[-1]; }
  uint64_t Pattern() const {
    constexpr uint64_t kNoZeroByte = 0x0101010101010101u;
    return (mix_ * 0xd6e8feb86659fd93u) | kNoZeroByte;
  }
  uint64_t* FirstWord(size_t bytes) const {
    return reinterpret_cast<uint64_t*>(slot_ + bytes / 8 * 8);
  }
  const uint64_t* LastWord() const { return reinterpret_cast<uint64_t*>(end_) - 2; }
  // Of the canary, behind its last word.
  const uint64_t* EndWord(size_t bytes) const {
    const uint64_t all = end_ - kTrailerBytes;
    const uint64_t span = slot_ + bytes / 8 * 8 + kCanarySpan;
    return reinterpret_cast<const uint64_t*>(span < all ? span : all);
  }
  static unsigned PartialBits(size_t bytes) { return bytes % 8 * 8; }

  uint64_t slot_;
  uint64_t end_;
  uint64_t mix_;
};

}  // namespace pagewarden
