// SPDX-License-Identifier: Apache-2.0
// /proc against the books, while all workers hold still.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/truth/board.h"
#include "tests/truth/comparison.h"
#include "tests/truth/proc_truth.h"

namespace truth {

using ProcTruths = std::map<pid_t, ProcTruth>;

struct Sums {
  uint64_t processes = 0;
  uint64_t locked_bytes = 0;
  uint64_t pinned_bytes = 0;
};

// "slot 3 pid 1234 generation 2"
std::string NameOf(const Board& board, uint32_t index);

// Of every process of the board; one that cannot be read is a failure.
ProcTruths ReadAll(const Board& board, Comparison& comparison);

// Of each cgroup alone.
std::vector<Sums> SumByCgroup(const Board& board, const ProcTruths& truths);

// VmLck, VmPin, locked mappings, segments; each cgroup's book against the sum of its
// processes.
void CompareBooks(const Board& board, const ProcTruths& truths, Comparison& comparison);

}  // namespace truth
