// SPDX-License-Identifier: Apache-2.0
// .eh_frame_hdr and .eh_frame: which entry describes the code at an address (LSB
// Core, "Exception Frames"). What its instructions come to is cfi.h's.
#pragma once

#include <stdint.h>

#include "preload/elf/modules.h"
#include "preload/stack/dwarf_reader.h"

namespace pagewarden {

// What entries have in common.
struct Cie {
  uint64_t code_alignment = 0;
  int64_t data_alignment = 0;
  uint8_t encoding = kPointer;  // of the addresses in its FDEs
  bool has_augmentation = false;
  bool is_followable = true;  // not a signal frame's
  DwarfReader instructions{nullptr, nullptr};
};

// The entry of a function.
struct Fde {
  Cie cie;
  uint64_t begin = 0;
  uint64_t bytes = 0;
  DwarfReader instructions{nullptr, nullptr};
};

inline bool IsIn(Bytes segment, const uint8_t* at) {
  return at >= segment.begin && at < segment.end;
}

// Precondition: `header` lies in `segment`. Reads nothing outside of it. False: there is
// no entry for `pc`, or it makes no sense.
bool FindFde(Bytes header, Bytes segment, uint64_t pc, Fde* out);

}  // namespace pagewarden
