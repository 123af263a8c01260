// SPDX-License-Identifier: Apache-2.0
// An audit against /proc and the books, while all workers hold still.
#pragma once

#include "tests/truth/audit_output.h"
#include "tests/truth/board.h"
#include "tests/truth/cgroup_tree.h"
#include "tests/truth/checks.h"
#include "tests/truth/comparison.h"

namespace truth {

// Every process in its cgroup with all figures and nothing beside, every cgroup with its
// sums and those of its subtree, segments, findings of drift.
void CompareAudit(const Board& board, const CgroupTree& tree, const ProcTruths& truths,
                  const AuditOutput& audit, Comparison& comparison);

// What the workers' user is charged for rings and buffers, by the books.
uint64_t ChargedToUser(const Board& board);

}  // namespace truth
