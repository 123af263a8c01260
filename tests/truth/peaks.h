// SPDX-License-Identifier: Apache-2.0
// The peaks that the agent's watch keeps, against the workers' books.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/bpf/hook_report.h"
#include "agent/watch/locked_peaks.h"
#include "tests/truth/board.h"
#include "tests/truth/cgroup_tree.h"
#include "tests/truth/comparison.h"

namespace truth {

class Peaks {
 public:
  // To be called before the first worker starts: nothing is locked yet.
  static absl::StatusOr<Peaks> Open();

  // While all hold still. An exact peak must be the book's; any other must lie between
  // what is locked now and the book's.
  void Compare(const Board& board, const CgroupTree& tree);

  const Comparison& comparison() const { return comparison_; }
  uint64_t exact() const { return exact_; }  // of the figures compared
  pagewarden::HookReport hook() const { return peaks_.Report(); }

 private:
  explicit Peaks(pagewarden::LockedPeaks peaks) : peaks_(std::move(peaks)) {}
  void CompareOne(const std::string& whom, const pagewarden::Peak* peak, uint64_t now,
                  uint64_t book);

  pagewarden::LockedPeaks peaks_;
  Comparison comparison_;
  uint64_t exact_ = 0;
};

}  // namespace truth
