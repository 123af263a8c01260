// SPDX-License-Identifier: Apache-2.0
// Call frame information: how to get from a function's frame to its caller's, as
// compilers write it into .eh_frame (System V ABI for x86-64, DWARF 5 §6.4).
//
// Only what a walk up the stack needs: where the canonical frame address (CFA) is,
// which is what the stack pointer was before the call, and where rbp was saved. The
// data is not trusted: nothing outside of `segment` is read.
#pragma once

#include <stdint.h>

#include "preload/elf/modules.h"

namespace pagewarden {

struct FrameRule {
  enum class Base : uint8_t {
    kNone = 0,        // unknown, or the outermost frame
    kRsp = 1,         // CFA = rsp + offset
    kRbp = 2,         // CFA = rbp + offset
    kSavedAtRbp = 3,  // CFA = the word at rbp + offset: a stack that was realigned
  };
  enum class Rbp : uint8_t {
    kSame = 0,
    kSavedAtCfa = 1,  // at CFA + rbp_offset
    kSavedAtRbp = 2,  // at rbp + rbp_offset
    kLost = 3,
  };
  Base base;
  Rbp rbp;
  int32_t offset;
  int32_t rbp_offset;
};

// The rule of the code at `pc`. `header` is .eh_frame_hdr (PT_GNU_EH_FRAME), and
// `segment` the loaded segment that it and .eh_frame lie in. Base::kNone where there
// is none, or none that can be followed.
FrameRule ReadFrameRule(Bytes header, Bytes segment, uint64_t pc);

}  // namespace pagewarden
