// SPDX-License-Identifier: Apache-2.0
#include "preload/stack/unwind.h"

#include <elf.h>

#include "preload/elf/modules.h"

namespace pagewarden {

PW_SEALED uint64_t* frame_cache = nullptr;

namespace {

using Base = FrameRule::Base;
using Rbp = FrameRule::Rbp;

constexpr int64_t kWord = sizeof(uint64_t);
constexpr uint64_t kAddressBits = 48;

// A call may be the last instruction of its function: its return address then belongs
// to the next one.
FrameRule RuleOfReturnTo(uint64_t address) {
  const uint64_t pc = address - 1;
  Module module;
  if (!FindModule(pc, &module)) return {};
  const Bytes header = PartOf(module, PT_GNU_EH_FRAME);
  if (header.begin == nullptr) return {};
  const Bytes segment = SegmentAround(module, reinterpret_cast<uint64_t>(header.begin));
  return ReadFrameRule(header, segment, pc);
}

bool PackRbp(const FrameRule& rule, uint64_t* out) {
  switch (rule.rbp) {
    case Rbp::kSame:
      *out = 0;
      return true;
    case Rbp::kLost:
      *out = kRbpLost;
      return true;
    case Rbp::kSavedAtCfa: {
      const int64_t words = -(rule.rbp_offset / kWord);
      *out = static_cast<uint64_t>(words);
      return rule.rbp_offset % kWord == 0 && words > 0 && words < static_cast<int64_t>(kRbpLost);
    }
    case Rbp::kSavedAtRbp:
      return false;
  }
  return false;
}

// False: nothing that fits, and nothing that is frequent. An outermost frame, and code
// that cannot be followed, is all zeros but for the mark that rbp is lost.
bool Pack(const FrameRule& rule, uint64_t* out) {
  *out = kRbpLost << kOffsetBits;
  if (rule.base == Base::kNone) return true;
  uint64_t rbp = 0;
  const int64_t words = rule.offset / kWord;
  if (!PackRbp(rule, &rbp) || rule.base == Base::kSavedAtRbp || rule.offset % kWord != 0 ||
      words < 0 || words > static_cast<int64_t>(kOffsetMask))
    return false;
  *out = uint64_t{static_cast<uint8_t>(rule.base)} << 28 | rbp << kOffsetBits |
         static_cast<uint64_t>(words);
  return true;
}

FrameRule Unpack(uint64_t packed) {
  FrameRule rule = {};
  rule.base = static_cast<Base>(packed >> 28 & 3);
  rule.offset = static_cast<int32_t>((packed & kOffsetMask) * kWord);
  const uint64_t rbp = packed >> kOffsetBits & kRbpMask;
  rule.rbp = rbp == 0 ? Rbp::kSame : rbp == kRbpLost ? Rbp::kLost : Rbp::kSavedAtCfa;
  rule.rbp_offset = -static_cast<int32_t>(rbp * kWord);
  return rule;
}

FrameRule CachedRule(uint64_t address) {
  uint64_t& place = frame_cache[FrameCacheIndex(address)];
  const uint64_t entry = __atomic_load_n(&place, __ATOMIC_RELAXED);
  if (entry >> kPackedBits == address >> 14) return Unpack(entry & kPackedMask);
  const FrameRule rule = RuleOfReturnTo(address);
  uint64_t packed;
  if (address >> kAddressBits == 0 && Pack(rule, &packed))
    __atomic_store_n(&place, address >> 14 << kPackedBits | packed, __ATOMIC_RELAXED);
  return rule;
}

bool ReadStack(uint64_t address, const Cursor& cursor, uint64_t stack_top, uint64_t* out) {
  if (!IsWordOnStack(address, cursor.sp, stack_top)) return false;
  *out = WordAt(address);
  return true;
}

bool FindCfa(const FrameRule& rule, const Cursor& cursor, uint64_t stack_top, uint64_t* cfa) {
  const auto offset = static_cast<uint64_t>(int64_t{rule.offset});
  switch (rule.base) {
    case Base::kRsp:
      *cfa = cursor.sp + offset;
      return true;
    case Base::kRbp:
      *cfa = cursor.rbp + offset;
      return true;
    case Base::kSavedAtRbp:
      return ReadStack(cursor.rbp + offset, cursor, stack_top, cfa);
    case Base::kNone:
      return false;
  }
  return false;
}

bool FindRbp(const FrameRule& rule, uint64_t cfa, const Cursor& cursor, uint64_t stack_top,
             uint64_t* rbp) {
  const auto offset = static_cast<uint64_t>(int64_t{rule.rbp_offset});
  switch (rule.rbp) {
    case Rbp::kSame:
      *rbp = cursor.rbp;
      return true;
    case Rbp::kLost:
      *rbp = 0;  // not on the stack: nothing follows from it
      return true;
    case Rbp::kSavedAtCfa:
      return ReadStack(cfa + offset, cursor, stack_top, rbp);
    case Rbp::kSavedAtRbp:
      return ReadStack(cursor.rbp + offset, cursor, stack_top, rbp);
  }
  return false;
}

}  // namespace

void SetFrameCache(uint64_t* cache) { frame_cache = cache; }

void FlushFrameCache() {
  for (uint32_t i = 0; i < kFrameCacheEntries; ++i)
    if (__atomic_load_n(&frame_cache[i], __ATOMIC_RELAXED) != 0)
      __atomic_store_n(&frame_cache[i], 0, __ATOMIC_RELAXED);
}

PW_COLD bool StepBySlowPath(Cursor* cursor, uint64_t stack_top) {
  const FrameRule rule = CachedRule(cursor->return_address);
  uint64_t cfa = 0;
  Cursor next = {};
  if (!FindCfa(rule, *cursor, stack_top, &cfa) ||
      !ReadStack(cfa - sizeof(uint64_t), *cursor, stack_top, &next.return_address) ||
      !FindRbp(rule, cfa, *cursor, stack_top, &next.rbp))
    return false;
  next.sp = cfa;
  *cursor = next;
  return stack_top - cfa >= sizeof(uint64_t);
}

}  // namespace pagewarden
