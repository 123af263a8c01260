// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/checks.h"

#include "absl/strings/str_cat.h"
#include "tests/truth/model.h"

namespace truth {
namespace {

std::string Name(const Board& board, uint32_t index) {
  const Slot& slot = board.of[index];
  return absl::StrCat("slot ", index, " pid ", slot.pid.load(), " generation ", slot.generation);
}

void CompareProcess(const Board& board, uint32_t index, const ProcTruth& truth,
                    Comparison& comparison) {
  const Slot& slot = board.of[index];
  const std::string name = Name(board, index);
  comparison.Equal(name, "VmLck and the book", slot.locked_bytes, truth.locked_bytes);
  comparison.Equal(name, "VmPin and the book", slot.pinned_bytes, truth.pinned_bytes);
  comparison.Equal(name, "locked mappings and the book", slot.locked_bytes - slot.leaked_bytes,
                   truth.mapping_bytes);
}

void CompareSegments(const Board& board, Comparison& comparison) {
  const auto locked = ReadLockedSegments();
  for (uint32_t i = 0; i < board.slots; ++i) {
    for (const Segment& segment : board.of[i].segments) {
      if (segment.pages == 0) continue;
      const auto found = locked.find(segment.id);
      comparison.Equal(absl::StrCat("segment ", segment.id, " of slot ", i), "locked",
                       segment.locked != 0 ? segment.pages * kPageBytes : 0,
                       found == locked.end() ? 0 : found->second);
    }
  }
}

void CompareAuditedProcess(const Board& board, uint32_t index, const CgroupTree& tree,
                           const ProcTruth& truth, const AuditedProcess& row,
                           Comparison& comparison) {
  const Slot& slot = board.of[index];
  const std::string name = absl::StrCat("audit, ", Name(board, index));
  comparison.Equal(name, "is in its cgroup", 1, row.cgroup == tree.paths[slot.cgroup]);
  comparison.Equal(name, "locked", truth.locked_bytes, row.locked_bytes);
  comparison.Equal(name, "pinned", truth.pinned_bytes, row.pinned_bytes);
  comparison.Equal(name, "drift", slot.leaked_bytes, row.drift_bytes);
}

struct Sums {
  std::vector<AuditedCgroup> of = std::vector<AuditedCgroup>(kCgroups);
};

Sums SumByCgroup(const Board& board, const ProcTruths& truths) {
  Sums sums;
  for (uint32_t i = 0; i < board.slots; ++i) {
    const Slot& slot = board.of[i];
    const auto truth = truths.find(slot.pid);
    if (truth == truths.end()) continue;
    sums.of[slot.cgroup].locked_bytes += truth->second.locked_bytes;
    sums.of[slot.cgroup].pinned_bytes += truth->second.pinned_bytes;
  }
  return sums;
}

}  // namespace

ProcTruths ReadAll(const Board& board, Comparison& comparison) {
  ProcTruths truths;
  for (uint32_t i = 0; i < board.slots; ++i) {
    const pid_t pid = board.of[i].pid;
    const auto truth = ReadProcTruth(pid);
    if (truth) {
      truths[pid] = *truth;
    } else {
      comparison.Fail(absl::StrCat(Name(board, i), ": status or smaps cannot be read"));
    }
  }
  return truths;
}

void CompareBooks(const Board& board, const ProcTruths& truths, Comparison& comparison) {
  for (uint32_t i = 0; i < board.slots; ++i) {
    const auto truth = truths.find(board.of[i].pid);
    if (truth != truths.end()) CompareProcess(board, i, truth->second, comparison);
  }
  CompareSegments(board, comparison);
  const Sums sums = SumByCgroup(board, truths);
  for (uint32_t i = 0; i < kCgroups; ++i) {
    comparison.Equal(absl::StrCat("cgroup ", i), "sum of VmLck and the book",
                     board.cgroups[i].locked_bytes, sums.of[i].locked_bytes);
  }
}

void CompareAudit(const Board& board, const CgroupTree& tree, const ProcTruths& truths,
                  const AuditOutput& audit, Comparison& comparison) {
  comparison.Equal("audit", "number of processes", board.slots, audit.processes.size());
  for (uint32_t i = 0; i < board.slots; ++i) {
    const pid_t pid = board.of[i].pid;
    const auto truth = truths.find(pid);
    const auto row = audit.processes.find(pid);
    if (truth == truths.end()) continue;
    if (row == audit.processes.end()) {
      comparison.Fail(absl::StrCat("audit: nothing of ", Name(board, i)));
    } else {
      CompareAuditedProcess(board, i, tree, truth->second, row->second, comparison);
    }
  }
  const Sums sums = SumByCgroup(board, truths);
  for (uint32_t i = 0; i < kCgroups; ++i) {
    const auto row = audit.cgroups.find(tree.paths[i]);
    // A cgroup without processes need not be there.
    const AuditedCgroup found = row == audit.cgroups.end() ? AuditedCgroup() : row->second;
    const std::string name = absl::StrCat("audit, cgroup ", tree.paths[i]);
    comparison.Equal(name, "locked", sums.of[i].locked_bytes, found.locked_bytes);
    comparison.Equal(name, "pinned", sums.of[i].pinned_bytes, found.pinned_bytes);
  }
}

uint64_t ChargedToUser(const Board& board) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < board.slots; ++i) bytes += board.of[i].charged_bytes;
  return bytes;
}

uint64_t ResidueOf(const Board& board, const AuditOutput& audit) {
  const auto found = audit.residues.find(board.user);
  return found == audit.residues.end() ? 0 : found->second;
}

}  // namespace truth
