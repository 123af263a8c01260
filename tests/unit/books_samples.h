// SPDX-License-Identifier: Apache-2.0
// Books that are kept of samples: what their tests share.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "agent/state/book_keeper.h"
#include "tests/unit/events_samples.h"

namespace pagewarden {

inline BookKeeper Kept(const std::string& directory, const CgroupHierarchy* hierarchy = nullptr) {
  auto keeper = BookKeeper::Open(directory, hierarchy);
  if (!keeper.ok()) abort();
  return *std::move(keeper);
}

inline AuditReport ReportOf(std::vector<ProcessRow> rows, uint64_t locked = 0) {
  AuditReport report;
  CgroupRow& cgroup = CgroupIn(report, "/a");
  cgroup.own.locked_bytes = locked;
  cgroup.processes = std::move(rows);
  return report;
}

inline void Tick(BookKeeper& keeper, std::vector<ProcessRow> rows, uint64_t locked = 0,
                 absl::Time now = SampleTime()) {
  keeper.Update(ReportOf(std::move(rows), locked), {}, now);
}

inline RuleBook Keys(const BookKeeper& keeper) {
  const auto& policies = keeper.books().policies;
  const auto policy = policies.find("tls");
  if (policy == policies.end()) return {};
  const auto rule = policy->second.rules.find("keys");
  return rule == policy->second.rules.end() ? RuleBook() : rule->second;
}

inline uint64_t DenialsOf(const BookKeeper& keeper, const std::string& cgroup) {
  uint64_t total = 0;
  const auto book = keeper.books().cgroups.find(cgroup);
  if (book == keeper.books().cgroups.end()) return 0;
  for (const auto& [reason, count] : book->second.denials) total += count;
  return total;
}

}  // namespace pagewarden
