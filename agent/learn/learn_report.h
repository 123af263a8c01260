// SPDX-License-Identifier: Apache-2.0
// What `pagewarden learn` says of its two runs.
#pragma once

#include <string>
#include <vector>

#include "agent/learn/learn.h"

namespace pagewarden {

// "9 processes, 84 copies: 24 fenced by presets, …"
std::string RecordedLine(const WatchedRun& run);

// Copies fenced and locked, by kind of memory; the share of allocations moved; the arena against
// RLIMIT_MEMLOCK; what is left, and why.
std::vector<std::string> ProofLines(const LearnResult& result);

}  // namespace pagewarden
