// SPDX-License-Identifier: Apache-2.0
// Coverage by the policies of the host's drop-in directories, which no agent is needed for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/audit/report.h"
#include "agent/audit/snapshot.h"
#include "agent/coverage/coverage_reader.h"
#include "agent/keeper/policy_keeper.h"

namespace pagewarden {

// Not thread-safe. A set of policies that is broken leaves the coverage unknown, or the set
// before in force.
class AuditCoverage {
 public:
  // `directories`: none: the host's. Modes are lowered to `max_mode` and to what the agent of
  // the host allows at each moment.
  AuditCoverage(std::vector<std::string> directories, std::optional<abi::Mode> max_mode);

  // Looks for changes of the policies and asks for the rows that AddTo needs.
  void Prepare(SnapshotOptions& options);
  void AddTo(AuditReport& report, const CgroupHierarchy* hierarchy);

  // Why coverage is not known, or not of the newest policies, one line each; each once.
  std::vector<std::string> TakeMessages() { return std::exchange(messages_, {}); }

 private:
  void Tell();
  // The lower of what was asked for and of what the agent allows.
  std::optional<abi::Mode> MaxMode();

  std::optional<abi::Mode> max_mode_;
  bool told_of_agent_ = false;
  std::optional<PolicyKeeper> keeper_;
  CoverageReader reader_;
  PodTable pods_;
  absl::Time pods_read_ = absl::InfinitePast();
  std::vector<std::string> told_;
  std::vector<std::string> messages_;
};

}  // namespace pagewarden
