// SPDX-License-Identifier: Apache-2.0
// Numbers as DWARF and .eh_frame write them. The data is not trusted.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace pagewarden {

// Pointer encodings (LSB Core, "DWARF Exception Header Encoding").
inline constexpr uint8_t kAbsolute8 = 0x04, kUnsigned2 = 0x02, kUnsigned4 = 0x03;
inline constexpr uint8_t kSigned2 = 0x0a, kSigned4 = 0x0b, kSigned8 = 0x0c;
inline constexpr uint8_t kUleb = 0x01, kSleb = 0x09, kPointer = 0x00;
inline constexpr uint8_t kFormat = 0x0f, kRelation = 0x70, kIndirect = 0x80;
inline constexpr uint8_t kPcRelative = 0x10, kDataRelative = 0x30;

// Reads forward within bounds. Past them, everything is zero and `ok` false.
class DwarfReader {
 public:
  DwarfReader(const uint8_t* at, const uint8_t* end) : at_(at), end_(at <= end ? end : at) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return !ok_ || at_ == end_; }
  const uint8_t* at() const { return at_; }
  uint64_t left() const { return static_cast<uint64_t>(end_ - at_); }

  template <typename T>
  T Read() {
    T value = 0;
    if (!Has(sizeof(T))) return value;
    __builtin_memcpy(&value, at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  void Skip(uint64_t bytes) {
    if (Has(bytes)) at_ += bytes;
  }

  DwarfReader Take(uint64_t bytes) {
    const uint8_t* begin = at_;
    Skip(bytes);
    return ok_ ? DwarfReader(begin, at_) : DwarfReader(end_, end_);
  }

  uint64_t Uleb() {
    uint64_t value = 0;
    for (unsigned shift = 0; ok_; shift += 7) {
      const auto byte = Read<uint8_t>();
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) break;
    }
    return value;
  }

  int64_t Sleb() {
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte = 0x80;
    while (ok_ && (byte & 0x80) != 0) {
      byte = Read<uint8_t>();
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      shift += 7;
    }
    if (shift < 64 && (byte & 0x40) != 0) value |= ~uint64_t{0} << shift;
    return static_cast<int64_t>(value);
  }

  // `data`: what data-relative pointers are relative to.
  uint64_t Pointer(uint8_t encoding, const uint8_t* data) {
    const auto here = reinterpret_cast<uint64_t>(at_);
    uint64_t value = 0;
    switch (encoding & kFormat) {
      case kPointer:
      case kAbsolute8:
      case kSigned8: value = Read<uint64_t>(); break;
      case kUnsigned2: value = Read<uint16_t>(); break;
      case kUnsigned4: value = Read<uint32_t>(); break;
      case kSigned2: value = static_cast<uint64_t>(int64_t{Read<int16_t>()}); break;
      case kSigned4: value = static_cast<uint64_t>(int64_t{Read<int32_t>()}); break;
      case kUleb: value = Uleb(); break;
      case kSleb: value = static_cast<uint64_t>(Sleb()); break;
      default: ok_ = false;
    }
    switch (encoding & kRelation) {
      case 0: return value;
      case kPcRelative: return here + value;
      case kDataRelative: return reinterpret_cast<uint64_t>(data) + value;
      default: ok_ = false;
    }
    return 0;
  }

 private:
  bool Has(uint64_t bytes) {
    ok_ = ok_ && bytes <= left();
    return ok_;
  }

  const uint8_t* at_;
  const uint8_t* end_;
  bool ok_ = true;
};

}  // namespace pagewarden
