// SPDX-License-Identifier: Apache-2.0
// Key bytes stay in vector registers after a copy: vzeroupper clears neither
// the low halves nor zmm16-31, which glibc's copies use on AVX-512 machines. The
// next signal then writes them to the stack, in the frame that the kernel saves
// (seen in the nginx master at SIGHUP: 64 bytes of dmq1). All vector registers
// are the caller's to save in the System V ABI, so malloc and free may zero them.
#pragma once

#include "preload/base/macros.h"

namespace pagewarden {

// Finds out which registers this machine and kernel have.
void DetectVectorRegisters();

// Zeroes all of them; about 1 ns.
inline void WipeVectorRegisters();

}  // namespace pagewarden

extern "C" PW_HIDDEN void pw_wipe_vector_registers();

inline void pagewarden::WipeVectorRegisters() { pw_wipe_vector_registers(); }
