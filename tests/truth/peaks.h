// SPDX-License-Identifier: Apache-2.0
// The peaks that the agent's watch keeps, against the workers' books.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/bpf/hook_report.h"
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

  // Lets the watch take in what happened; waits for `timeout` at most.
  void Poll(absl::Duration timeout);

  // While all hold still. An exact peak must be the book's; any other must lie between
  // what is locked now and the book's.
  void Compare(const Board& board, const CgroupTree& tree);

  const Comparison& comparison() const { return comparison_; }
  uint64_t exact() const { return exact_; }  // of the figures compared
  uint64_t events() const { return events_; }
  pagewarden::HookReport hook() const;  // of the peaks

 private:
  Peaks(std::unique_ptr<pagewarden::CgroupHierarchy> hierarchy, pagewarden::Watch watch)
      : hierarchy_(std::move(hierarchy)), watch_(std::move(watch)) {}
  void CompareOne(const std::string& whom, const pagewarden::Peak* peak, uint64_t now,
                  uint64_t book);

  std::unique_ptr<pagewarden::CgroupHierarchy> hierarchy_;  // the watch points to it
  pagewarden::Watch watch_;
  Comparison comparison_;
  uint64_t exact_ = 0;
  uint64_t events_ = 0;
};

}  // namespace truth
