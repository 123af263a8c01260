// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/checks.h"

#include "absl/strings/str_cat.h"
#include "tests/truth/model.h"

namespace truth {
namespace {

void CompareProcess(const Board& board, uint32_t index, const ProcTruth& truth,
                    Comparison& comparison) {
  const Slot& slot = board.of[index];
  const std::string name = NameOf(board, index);
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

}  // namespace

std::string NameOf(const Board& board, uint32_t index) {
  const Slot& slot = board.of[index];
  return absl::StrCat("slot ", index, " pid ", slot.pid.load(), " generation ", slot.generation);
}

std::vector<Sums> SumByCgroup(const Board& board, const ProcTruths& truths) {
  std::vector<Sums> sums(kCgroups);
  for (uint32_t i = 0; i < board.slots; ++i) {
    const auto truth = truths.find(board.of[i].pid);
    if (truth == truths.end()) continue;
    Sums& sum = sums[board.of[i].cgroup];
    ++sum.processes;
    sum.locked_bytes += truth->second.locked_bytes;
    sum.pinned_bytes += truth->second.pinned_bytes;
  }
  return sums;
}

ProcTruths ReadAll(const Board& board, Comparison& comparison) {
  ProcTruths truths;
  for (uint32_t i = 0; i < board.slots; ++i) {
    const pid_t pid = board.of[i].pid;
    const auto truth = ReadProcTruth(pid);
    if (truth) {
      truths[pid] = *truth;
    } else {
      comparison.Fail(absl::StrCat(NameOf(board, i), ": status or smaps cannot be read"));
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
  const std::vector<Sums> sums = SumByCgroup(board, truths);
  for (uint32_t i = 0; i < kCgroups; ++i) {
    comparison.Equal(absl::StrCat("cgroup ", i), "sum of VmLck and the book",
                     board.cgroups[i].locked_bytes, sums[i].locked_bytes);
  }
}

}  // namespace truth
