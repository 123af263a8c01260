// SPDX-License-Identifier: Apache-2.0
#include "preload/stack/cfi.h"

namespace pagewarden {
namespace {

// Pointer encodings (LSB Core, "DWARF Exception Header Encoding").
constexpr uint8_t kAbsolute8 = 0x04, kUnsigned2 = 0x02, kUnsigned4 = 0x03;
constexpr uint8_t kSigned2 = 0x0a, kSigned4 = 0x0b, kSigned8 = 0x0c;
constexpr uint8_t kUleb = 0x01, kSleb = 0x09, kPointer = 0x00;
constexpr uint8_t kFormat = 0x0f, kRelation = 0x70, kIndirect = 0x80;
constexpr uint8_t kPcRelative = 0x10, kDataRelative = 0x30, kOmitted = 0xff;

constexpr uint64_t kRbp = 6, kRsp = 7, kReturnAddress = 16;
constexpr int64_t kReturnAddressOffset = -8;

// Reads forward within bounds. Past them, everything is zero and `ok` false.
class Reader {
 public:
  Reader(const uint8_t* at, const uint8_t* end) : at_(at), end_(at <= end ? end : at) {}

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

  Reader Take(uint64_t bytes) {
    const uint8_t* begin = at_;
    Skip(bytes);
    return ok_ ? Reader(begin, at_) : Reader(end_, end_);
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

struct Cie {
  uint64_t code_alignment = 0;
  int64_t data_alignment = 0;
  uint8_t encoding = kPointer;  // of the addresses in its FDEs
  bool has_augmentation = false;
  bool is_followable = true;  // not a signal frame's
  Reader instructions{nullptr, nullptr};
};

bool ReadAugmentation(const char* letters, Reader data, Cie* out) {
  for (; *letters != 0; ++letters) {
    switch (*letters) {
      case 'R': out->encoding = data.Read<uint8_t>(); break;
      case 'L': data.Skip(1); break;
      case 'P': {
        const auto encoding = data.Read<uint8_t>();
        data.Pointer(encoding & ~kIndirect, nullptr);
        break;
      }
      case 'S': out->is_followable = false; break;
      default: return false;
    }
  }
  return data.ok();
}

// `entry`: what follows the length and the id, which is zero.
bool ReadCie(Reader entry, Cie* out) {
  const auto version = entry.Read<uint8_t>();
  if (version != 1 && version != 3) return false;
  const auto* letters = reinterpret_cast<const char*>(entry.at());
  while (entry.Read<uint8_t>() != 0) {
  }
  if (!entry.ok()) return false;
  out->code_alignment = entry.Uleb();
  out->data_alignment = entry.Sleb();
  const uint64_t return_column = version == 1 ? entry.Read<uint8_t>() : entry.Uleb();
  if (return_column != kReturnAddress) return false;
  out->has_augmentation = *letters == 'z';
  if (out->has_augmentation) {
    const uint64_t bytes = entry.Uleb();
    if (!ReadAugmentation(letters + 1, entry.Take(bytes), out)) return false;
  } else if (*letters != 0) {
    return false;
  }
  out->instructions = entry;
  return entry.ok();
}

struct Fde {
  Cie cie;
  uint64_t begin = 0;
  uint64_t bytes = 0;
  Reader instructions{nullptr, nullptr};
};

// The entry at `at`, its length read. Empty at the end of the section, and for the
// 64-bit format, which no compiler writes.
Reader Entry(const uint8_t* at, Bytes segment) {
  Reader reader(at, segment.end);
  const auto length = reader.Read<uint32_t>();
  return length == 0xffffffff ? Reader(at, at) : reader.Take(length);
}

bool IsIn(Bytes segment, const uint8_t* at) { return at >= segment.begin && at < segment.end; }

bool ReadFde(const uint8_t* at, Bytes segment, const uint8_t* data, Fde* out) {
  if (!IsIn(segment, at)) return false;
  Reader entry = Entry(at, segment);
  const uint8_t* id_at = entry.at();
  const auto id = entry.Read<uint32_t>();
  if (!entry.ok() || id == 0) return false;  // id 0: a CIE
  if (id > static_cast<uint64_t>(id_at - segment.begin)) return false;
  Reader cie = Entry(id_at - id, segment);
  if (cie.Read<uint32_t>() != 0 || !cie.ok() || !ReadCie(cie, &out->cie)) return false;
  if ((out->cie.encoding & kIndirect) != 0) return false;
  out->begin = entry.Pointer(out->cie.encoding, data);
  out->bytes = entry.Pointer(out->cie.encoding & kFormat, nullptr);
  if (out->cie.has_augmentation) entry.Skip(entry.Uleb());
  out->instructions = entry;
  return entry.ok();
}

// The instructions that set up a row of the table, for the columns that matter.
struct Row {
  FrameRule rule = {};
  bool has_return_address = true;  // at CFA - 8
};

class Machine {
 public:
  Machine(const Fde& fde, uint64_t pc) : fde_(fde), pc_(pc), at_(fde.begin) {}

  FrameRule Run() {
    Execute(fde_.cie.instructions);
    initial_ = row_;
    Execute(fde_.instructions);
    return ok_ && row_.has_return_address ? row_.rule : FrameRule{};
  }

 private:
  void Execute(Reader code) {
    while (ok_ && !done_ && !code.AtEnd()) {
      Step(code);
      ok_ = ok_ && code.ok();
    }
  }

  void Step(Reader& code) {
    const auto op = code.Read<uint8_t>();
    const uint64_t low = op & 0x3f;
    switch (op >> 6) {
      case 1: return Advance(low);
      case 2: return SavedAtCfa(low, Factored(code.Uleb()));
      case 3: return Restore(low);
      default: Extended(op, code);
    }
  }

  void Extended(uint8_t op, Reader& code) {
    switch (op) {
      case 0x00: return;                                              // nop
      case 0x01: return MoveTo(code.Pointer(fde_.cie.encoding, nullptr));  // set_loc
      case 0x02: return Advance(code.Read<uint8_t>());
      case 0x03: return Advance(code.Read<uint16_t>());
      case 0x04: return Advance(code.Read<uint32_t>());
      case 0x05: return OffsetExtended(code);
      case 0x06: return Restore(code.Uleb());                         // restore_extended
      case 0x07: return Lose(code.Uleb());                            // undefined
      case 0x08: return Keep(code.Uleb());                            // same_value
      case 0x09: Lose(code.Uleb()); code.Uleb(); return;              // register
      case 0x0a: return Remember();
      case 0x0b: return Recall();
      case 0x0c: SetBase(code.Uleb()); return SetOffset(static_cast<int64_t>(code.Uleb()));
      case 0x0d: return SetBase(code.Uleb());                         // def_cfa_register
      case 0x0e: return SetOffset(static_cast<int64_t>(code.Uleb()));  // def_cfa_offset
      case 0x0f: return DefineCfa(code.Take(code.Uleb()));            // def_cfa_expression
      case 0x10: return Expression(code);
      case 0x11: return OffsetExtendedSigned(code);
      case 0x12: SetBase(code.Uleb()); return SetOffset(Factored(code.Sleb()));  // def_cfa_sf
      case 0x13: return SetOffset(Factored(code.Sleb()));             // def_cfa_offset_sf
      case 0x14: Lose(code.Uleb()); code.Uleb(); return;              // val_offset
      case 0x15: Lose(code.Uleb()); code.Sleb(); return;              // val_offset_sf
      case 0x16: Lose(code.Uleb()); code.Skip(code.Uleb()); return;   // val_expression
      case 0x2e: code.Uleb(); return;                                 // GNU_args_size
      default: ok_ = false;
    }
  }

  int64_t Factored(uint64_t n) {
    return static_cast<int64_t>(n * static_cast<uint64_t>(fde_.cie.data_alignment));
  }
  int64_t Factored(int64_t n) { return Factored(static_cast<uint64_t>(n)); }

  void Advance(uint64_t units) { MoveTo(at_ + units * fde_.cie.code_alignment); }
  void MoveTo(uint64_t address) {
    done_ = address > pc_;
    if (!done_) at_ = address;
  }

  static bool FitsOffset(int64_t offset) { return offset == static_cast<int32_t>(offset); }

  void SavedAtCfa(uint64_t column, int64_t offset) {
    if (column == kReturnAddress) row_.has_return_address = offset == kReturnAddressOffset;
    if (column != kRbp) return;
    row_.rule.rbp = FitsOffset(offset) ? FrameRule::Rbp::kSavedAtCfa : FrameRule::Rbp::kLost;
    row_.rule.rbp_offset = static_cast<int32_t>(offset);
  }

  void OffsetExtended(Reader& code) {
    const uint64_t column = code.Uleb();
    SavedAtCfa(column, Factored(code.Uleb()));
  }

  void OffsetExtendedSigned(Reader& code) {
    const uint64_t column = code.Uleb();
    SavedAtCfa(column, Factored(code.Sleb()));
  }

  void Lose(uint64_t column) {
    if (column == kReturnAddress) row_.has_return_address = false;
    if (column == kRbp) row_.rule.rbp = FrameRule::Rbp::kLost;
  }

  void Keep(uint64_t column) {
    if (column == kReturnAddress) row_.has_return_address = false;
    if (column == kRbp) row_.rule.rbp = FrameRule::Rbp::kSame;
  }

  void Restore(uint64_t column) {
    if (column == kReturnAddress) row_.has_return_address = initial_.has_return_address;
    if (column != kRbp) return;
    row_.rule.rbp = initial_.rule.rbp;
    row_.rule.rbp_offset = initial_.rule.rbp_offset;
  }

  void SetBase(uint64_t column) {
    using Base = FrameRule::Base;
    row_.rule.base = column == kRsp ? Base::kRsp : column == kRbp ? Base::kRbp : Base::kNone;
  }

  void SetOffset(int64_t offset) {
    if (!FitsOffset(offset)) ok_ = false;
    row_.rule.offset = static_cast<int32_t>(offset);
  }

  static constexpr uint8_t kAddRbp = 0x70 + kRbp;  // DW_OP_breg6
  static constexpr uint8_t kDereference = 0x06;    // DW_OP_deref

  // The one form that compilers write for functions that realign their stack. The
  // procedure linkage table has another, but no call returns there.
  void DefineCfa(Reader expression) {
    row_.rule.base = FrameRule::Base::kNone;
    if (expression.Read<uint8_t>() != kAddRbp) return;
    const int64_t offset = expression.Sleb();
    if (expression.Read<uint8_t>() != kDereference || !expression.ok() || !expression.AtEnd())
      return;
    SetOffset(offset);
    row_.rule.base = FrameRule::Base::kSavedAtRbp;
  }

  void Expression(Reader& code) {
    const uint64_t column = code.Uleb();
    Reader expression = code.Take(code.Uleb());
    Lose(column);
    if (column != kRbp || expression.Read<uint8_t>() != kAddRbp) return;
    const int64_t offset = expression.Sleb();
    if (!expression.ok() || !expression.AtEnd() || !FitsOffset(offset)) return;
    row_.rule.rbp = FrameRule::Rbp::kSavedAtRbp;
    row_.rule.rbp_offset = static_cast<int32_t>(offset);
  }

  void Remember() {
    if (depth_ == kDeepest) {
      ok_ = false;
      return;
    }
    remembered_[depth_++] = row_;
  }

  void Recall() {
    if (depth_ == 0) {
      ok_ = false;
      return;
    }
    row_ = remembered_[--depth_];
  }

  static constexpr uint32_t kDeepest = 8;

  const Fde& fde_;
  uint64_t pc_;
  uint64_t at_;
  Row row_;
  Row initial_;
  Row remembered_[kDeepest];
  uint32_t depth_ = 0;
  bool ok_ = true;
  bool done_ = false;
};

struct TableEntry {
  int32_t pc;
  int32_t fde;
};

// The last entry that begins at or before `pc`, by the sorted table behind the header.
const uint8_t* SearchTable(Reader reader, uint64_t count, const uint8_t* data, uint64_t pc) {
  if (count == 0 || count > reader.left() / sizeof(TableEntry)) return nullptr;
  const uint8_t* table = reader.at();
  const auto entry = [table](uint64_t i) {
    TableEntry e;
    __builtin_memcpy(&e, table + i * sizeof(e), sizeof(e));
    return e;
  };
  const auto offset = static_cast<int64_t>(pc - reinterpret_cast<uint64_t>(data));
  uint64_t low = 0, high = count;
  while (high - low > 1) {
    const uint64_t middle = low + (high - low) / 2;
    (entry(middle).pc <= offset ? low : high) = middle;
  }
  return entry(low).pc <= offset ? data + entry(low).fde : nullptr;
}

bool Covers(const Fde& fde, uint64_t pc) { return pc - fde.begin < fde.bytes; }

// All of .eh_frame, where no table is.
bool Scan(const uint8_t* at, Bytes segment, const uint8_t* data, uint64_t pc, Fde* out) {
  while (IsIn(segment, at)) {
    const Reader entry = Entry(at, segment);
    if (!entry.ok() || entry.left() == 0) return false;
    *out = {};
    if (ReadFde(at, segment, data, out) && Covers(*out, pc)) return true;
    at = entry.at() + entry.left();
  }
  return false;
}

bool FindFde(Bytes header, Bytes segment, uint64_t pc, Fde* out) {
  constexpr uint8_t kVersion = 1;
  Reader reader(header.begin, header.end);
  const auto version = reader.Read<uint8_t>();
  const auto frames_encoding = reader.Read<uint8_t>();
  const auto count_encoding = reader.Read<uint8_t>();
  const auto table_encoding = reader.Read<uint8_t>();
  if (version != kVersion || frames_encoding == kOmitted) return false;
  const uint64_t frames = reader.Pointer(frames_encoding, header.begin);
  const bool has_table =
      count_encoding != kOmitted && table_encoding == (kDataRelative | kSigned4);
  if (!has_table)
    return reader.ok() &&
           Scan(reinterpret_cast<const uint8_t*>(frames), segment, header.begin, pc, out);
  const uint64_t count = reader.Pointer(count_encoding, header.begin);
  if (!reader.ok()) return false;
  const uint8_t* fde = SearchTable(reader, count, header.begin, pc);
  return fde != nullptr && ReadFde(fde, segment, header.begin, out) && Covers(*out, pc);
}

}  // namespace

FrameRule ReadFrameRule(Bytes header, Bytes segment, uint64_t pc) {
  Fde fde;
  if (!IsIn(segment, header.begin) || header.end > segment.end ||
      !FindFde(header, segment, pc, &fde) || !fde.cie.is_followable)
    return {};
  return Machine(fde, pc).Run();
}

}  // namespace pagewarden
