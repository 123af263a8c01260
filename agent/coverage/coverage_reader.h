// SPDX-License-Identifier: Apache-2.0
// Compares what the policies say with what the processes have, again and again: what
// cannot change in a process is read once.
//
//   CoverageReader reader;
//   for (;;) {
//     reader.Prepare(policies, options);
//     auto snapshot = snapshots->Read(options);
//     report = BuildReport(*snapshot, …);
//     coverage = reader.Read(report, policies, &*hierarchy, pods);
//   }
#pragma once

#include <memory>
#include <string>

#include "agent/audit/report.h"
#include "agent/audit/snapshot.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/coverage/coverage.h"
#include "agent/keeper/policy_status.h"
#include "agent/policy/surroundings.h"

namespace pagewarden {

// Not thread-safe.
class CoverageReader {
 public:
  CoverageReader();
  CoverageReader(CoverageReader&&) noexcept;
  CoverageReader& operator=(CoverageReader&&) noexcept;
  ~CoverageReader();

  // For the snapshot of the next Read, where quiet processes are only summed up: those that
  // were selected get a row all the same, and each process does when the policies, the pods
  // or the day have changed, so that all are judged again.
  void Prepare(const PolicyStatus& policies, const PodTable& pods, SnapshotOptions& options) const;

  // Of the processes that have a row; without one, a process is as it was or has ended.
  // `hierarchy` may be null: no cgroup is then known to be kept out of swap.
  CoverageReport Read(const AuditReport& report, const PolicyStatus& policies,
                      const CgroupHierarchy* hierarchy, const PodTable& pods);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pagewarden
