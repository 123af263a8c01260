// SPDX-License-Identifier: Apache-2.0
// The peaks that the agent's watch keeps, against the workers' books.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/watch/watch.h"
#include "tests/truth/board.h"
#include "tests/truth/cgroup_tree.h"
#include "tests/truth/comparison.h"

namespace truth {

class Peaks {
 public:
  // To be called before the first worker starts: nothing is locked yet.
  static absl::StatusOr<Peaks> Open();

  // Lets the watch read what happened.
  void Poll(absl::Duration timeout) { watch_.Poll(timeout); }

  // While all hold still. An exact peak must be the book's; one that is not exact must lie
  // between what is locked now and the book's.
  void Compare(const Board& board, const CgroupTree& tree);

  const Comparison& comparison() const { return comparison_; }
  uint64_t exact() const { return exact_; }  // of the figures compared
  std::string hook() const;                  // that sees the peaks

 private:
  Peaks(pagewarden::CgroupHierarchy hierarchy, pagewarden::Watch watch);
  void CompareOne(const std::string& whom, const pagewarden::Peak* peak, uint64_t now,
                  uint64_t book);

  pagewarden::Watch watch_;
  Comparison comparison_;
  uint64_t exact_ = 0;
};

}  // namespace truth
