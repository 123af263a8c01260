// SPDX-License-Identifier: Apache-2.0
// A copy of a secret: one base address at which a run of a needle is intact.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/proof/needles.h"
#include "agent/proof/scanner.h"

namespace pagewarden {

struct Copy {
  uint32_t needle = 0;   // of the first run
  uint64_t address = 0;  // first intact byte
  uint64_t end = 0;      // after the last intact byte
  uint64_t bytes = 0;    // intact bytes, in runs of at least min_run
};

// Joins the runs that have one base (the address where the needle would begin)
// into one copy, and the lines of a PEM text that lie together as in a file, or
// without their line ends, into one. What lies inside a larger copy of the same
// secret in another form (the plain part of an escaped text) is part of that.
// Fragments may overlap, as those of overlapping buffers do, and come in any
// order. Result by address.
std::vector<Copy> MergeFragments(const NeedleSet& needles, std::vector<Fragment> fragments);

}  // namespace pagewarden
