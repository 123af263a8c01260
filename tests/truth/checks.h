// SPDX-License-Identifier: Apache-2.0
// What must be equal while all workers hold still.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/truth/audit_output.h"
#include "tests/truth/board.h"
#include "tests/truth/cgroup_tree.h"
#include "tests/truth/comparison.h"
#include "tests/truth/proc_truth.h"

namespace truth {

using ProcTruths = std::map<pid_t, ProcTruth>;

// Of every process of the board; one that cannot be read is a failure.
ProcTruths ReadAll(const Board& board, Comparison& comparison);

// /proc against the books: VmLck, VmPin, locked mappings, segments; each cgroup's book
// against the sum of its processes.
void CompareBooks(const Board& board, const ProcTruths& truths, Comparison& comparison);

// An audit against /proc and the books: every process in its cgroup with all figures and
// nothing beside, every cgroup with its sums.
void CompareAudit(const Board& board, const CgroupTree& tree, const ProcTruths& truths,
                  const AuditOutput& audit, Comparison& comparison);

// What the workers' user is charged for rings and buffers.
uint64_t ChargedToUser(const Board& board);
uint64_t ResidueOf(const Board& board, const AuditOutput& audit);

}  // namespace truth
