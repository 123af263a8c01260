// SPDX-License-Identifier: Apache-2.0
#include "preload/stack/cfi.h"

#include "preload/stack/eh_frame.h"

namespace pagewarden {
namespace {

constexpr uint64_t kRbp = 6, kRsp = 7, kReturnAddress = 16;
constexpr int64_t kReturnAddressOffset = -8;

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
  void Execute(DwarfReader code) {
    while (ok_ && !done_ && !code.AtEnd()) {
      Step(code);
      ok_ = ok_ && code.ok();
    }
  }

  void Step(DwarfReader& code) {
    const auto op = code.Read<uint8_t>();
    const uint64_t low = op & 0x3f;
    switch (op >> 6) {
      case 1: return Advance(low);
      case 2: return SavedAtCfa(low, Factored(code.Uleb()));
      case 3: return Restore(low);
      default: Extended(op, code);
    }
  }

  void Extended(uint8_t op, DwarfReader& code) {
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

  void OffsetExtended(DwarfReader& code) {
    const uint64_t column = code.Uleb();
    SavedAtCfa(column, Factored(code.Uleb()));
  }

  void OffsetExtendedSigned(DwarfReader& code) {
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
  void DefineCfa(DwarfReader expression) {
    row_.rule.base = FrameRule::Base::kNone;
    if (expression.Read<uint8_t>() != kAddRbp) return;
    const int64_t offset = expression.Sleb();
    if (expression.Read<uint8_t>() != kDereference || !expression.ok() || !expression.AtEnd())
      return;
    SetOffset(offset);
    row_.rule.base = FrameRule::Base::kSavedAtRbp;
  }

  void Expression(DwarfReader& code) {
    const uint64_t column = code.Uleb();
    DwarfReader expression = code.Take(code.Uleb());
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

}  // namespace

FrameRule ReadFrameRule(Bytes header, Bytes segment, uint64_t pc) {
  Fde fde;
  if (!IsIn(segment, header.begin) || header.end > segment.end ||
      !FindFde(header, segment, pc, &fde) || !fde.cie.is_followable)
    return {};
  return Machine(fde, pc).Run();
}

}  // namespace pagewarden
