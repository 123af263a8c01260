// SPDX-License-Identifier: Apache-2.0
// Derives the policy that fences a secret in a program, and proves it on a
// second run.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/learn/learned_policy.h"
#include "agent/learn/watched_run.h"

namespace pagewarden {

struct LearnRequest {
  WatchedProgram program;
  std::string executable;  // what the policy is to select
  double budget = 0.01;    // share of the allocations that may move
};

struct LearnResult {
  WatchedRun recorded;
  LearnedPolicy policy;
  std::vector<std::string> left;  // what the policy does not cover, and why
  std::string yaml;
  WatchedRun proof;  // under the policy alone
};

// Tells how far it is.
class LearnProgress {
 public:
  virtual ~LearnProgress() = default;
  virtual void Recorded(const WatchedRun& run) = 0;
};

// Errors as RunWatched gives them. A recorded run without any copy ends it, with
// an empty policy and no proof.
absl::StatusOr<LearnResult> Learn(const LearnRequest& request, const NeedleSet& needles,
                                  LearnProgress& progress);

}  // namespace pagewarden
