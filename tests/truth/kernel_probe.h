// SPDX-License-Identifier: Apache-2.0
// How this kernel counts, found by trying in processes of their own.
#pragma once

#include <sys/types.h>

#include "tests/truth/board.h"

namespace truth {

// `user` must own nothing else: what a ring charges is found by the limit it needs.
Kernel ProbeKernel(uid_t user);

}  // namespace truth
