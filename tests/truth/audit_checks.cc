// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/audit_checks.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/truth/model.h"

namespace truth {
namespace {

void CompareKinds(const std::string& name, const Slot& slot, const AuditedProcess& row,
                  Comparison& comparison) {
  comparison.Equal(name, "locked mappings", slot.locked_bytes - slot.leaked_bytes,
                   row.mapping_bytes.value_or(0));
  comparison.Equal(name, "locked secret memory", slot.secret_bytes, row.secret_bytes.value_or(0));
  if (row.locks_future) {
    comparison.Equal(name, "MCL_FUTURE", slot.locks_future, *row.locks_future);
  }
}

void CompareProcess(const Board& board, uint32_t index, const CgroupTree& tree,
                    const ProcTruth& truth, const AuditOutput& audit, Comparison& comparison) {
  const Slot& slot = board.of[index];
  const std::string name = absl::StrCat("audit, ", NameOf(board, index));
  const auto found = audit.processes.find(slot.pid);
  if (found == audit.processes.end()) return comparison.Fail(absl::StrCat(name, ": not there"));
  const AuditedProcess& row = found->second;
  comparison.Equal(name, "is in its cgroup", 1, row.cgroup == tree.paths[slot.cgroup]);
  comparison.Equal(name, "uid", slot.user, row.uid);
  comparison.Equal(name, "locked", truth.locked_bytes, row.locked_bytes);
  comparison.Equal(name, "pinned", truth.pinned_bytes, row.pinned_bytes);
  comparison.Equal(name, "drift", slot.leaked_bytes, row.drift_bytes);
  if (!audit.is_detailed) return;
  CompareKinds(name, slot, row, comparison);
  comparison.Equal(name, "finding of drift", slot.leaked_bytes > 0,
                   audit.drifting.count(slot.pid) > 0);
}

void Compare(const std::string& name, const Sums& expected, const AuditedSums& found,
             Comparison& comparison) {
  comparison.Equal(name, "locked", expected.locked_bytes, found.locked_bytes);
  comparison.Equal(name, "pinned", expected.pinned_bytes, found.pinned_bytes);
}

bool IsAtOrBelow(const std::string& path, const std::string& ancestor) {
  return path == ancestor || absl::StartsWith(path, ancestor + "/");
}

Sums SumOfSubtree(const CgroupTree& tree, const std::vector<Sums>& sums, uint32_t top) {
  Sums subtree;
  for (uint32_t i = 0; i < kCgroups; ++i) {
    if (!IsAtOrBelow(tree.paths[i], tree.paths[top])) continue;
    subtree.processes += sums[i].processes;
    subtree.locked_bytes += sums[i].locked_bytes;
    subtree.pinned_bytes += sums[i].pinned_bytes;
  }
  return subtree;
}

void CompareCgroups(const Board& board, const CgroupTree& tree, const ProcTruths& truths,
                    const AuditOutput& audit, Comparison& comparison) {
  const std::vector<Sums> sums = SumByCgroup(board, truths);
  for (uint32_t i = 0; i < kCgroups; ++i) {
    const std::string name = absl::StrCat("audit, cgroup ", tree.paths[i]);
    const Sums expected = SumOfSubtree(tree, sums, i);
    const auto found = audit.cgroups.find(tree.paths[i]);
    // A cgroup without processes in it or below need not be there.
    const AuditedCgroup row = found == audit.cgroups.end() ? AuditedCgroup() : found->second;
    Compare(name, sums[i], row.own, comparison);
    if (!audit.is_detailed || (found == audit.cgroups.end() && sums[i].processes == 0)) continue;
    Compare(absl::StrCat(name, " and below"), expected, row.subtree, comparison);
    comparison.Equal(name, "processes in it and below", expected.processes, row.subtree_processes);
  }
}

void CompareSegments(const Board& board, const AuditOutput& audit, Comparison& comparison) {
  uint64_t of_user = 0;
  for (uint32_t i = 0; i < board.slots; ++i) {
    for (const Segment& segment : board.of[i].segments) {
      if (segment.pages == 0) continue;
      const uint64_t bytes = segment.locked != 0 ? segment.pages * kPageBytes : 0;
      const auto found = audit.segments.find(segment.id);
      comparison.Equal(absl::StrCat("audit, segment ", segment.id, " of slot ", i), "locked", bytes,
                       found == audit.segments.end() ? 0 : found->second);
      if (board.of[i].unprivileged != 0) of_user += bytes;
    }
  }
  const auto user = audit.users.find(board.user);
  comparison.Equal("audit, the workers' user", "SHM_LOCK", of_user,
                   user == audit.users.end() ? 0 : user->second.shm_locked_bytes);
}

}  // namespace

void CompareAudit(const Board& board, const CgroupTree& tree, const ProcTruths& truths,
                  const AuditOutput& audit, Comparison& comparison) {
  comparison.Equal("audit", "number of processes", board.slots, audit.processes.size());
  for (uint32_t i = 0; i < board.slots; ++i) {
    const auto truth = truths.find(board.of[i].pid);
    if (truth != truths.end()) {
      CompareProcess(board, i, tree, truth->second, audit, comparison);
    }
  }
  CompareCgroups(board, tree, truths, audit, comparison);
  if (!audit.is_detailed) return;
  CompareSegments(board, audit, comparison);
  comparison.Equal("audit", "differences between BPF and /proc", 0, audit.counter_differences);
}

uint64_t ChargedToUser(const Board& board) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < board.slots; ++i) bytes += board.of[i].charged_bytes;
  return bytes;
}

}  // namespace truth
