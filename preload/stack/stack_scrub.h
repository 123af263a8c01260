// SPDX-License-Identifier: Apache-2.0
// `pin.scrubStack`: zeroes the dead stack that extents leave below the stack pointer,
// once the shim sees that the last of them has ended.
#pragma once

#include <stdint.h>

#include "preload/base/macros.h"

namespace pagewarden {

extern PW_HIDDEN uint64_t scrub_bytes;  // 0: nothing is scrubbed

// For Start.
void StartScrubbing(uint64_t bytes);

// Only what is known to be this thread's stack, so never of a fiber's.
void ScrubDeadStack();

}  // namespace pagewarden
