// SPDX-License-Identifier: Apache-2.0
// What protects the memory of a process that has no fence.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/audit/process_row.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/doctor/host_facts.h"
#include "agent/doctor/memory_budget.h"
#include "agent/doctor/process_facts.h"

namespace pagewarden {

// One phrase each: "its cgroup may not swap", "no swap", "swap is encrypted", "swap is in
// memory only", "no core dumps", "all its memory is locked". Pure.
std::vector<std::string> ProtectionsOf(const ProcessRow& row, const HostFacts& host,
                                       bool cgroup_may_not_swap, const CoreDumpFacts& core);

// The same, of files that are read again when they are this old. Not thread-safe.
class ProtectionsInForce {
 public:
  static constexpr absl::Duration kMaxAge = absl::Seconds(30);

  std::vector<std::string> Of(const ProcessRow& row, const CgroupHierarchy* hierarchy,
                              absl::Time now);

 private:
  HostFacts host_;
  std::map<std::string, bool> may_not_swap_;  // by cgroup
  absl::Time read_ = absl::InfinitePast();
};

}  // namespace pagewarden
