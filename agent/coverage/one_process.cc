// SPDX-License-Identifier: Apache-2.0
#include "agent/coverage/one_process.h"

#include <utility>

#include "agent/audit/report.h"
#include "agent/audit/snapshot.h"
#include "agent/coverage/coverage_reader.h"

namespace pagewarden {

absl::StatusOr<ProcessCoverage> ReadCoverageOf(pid_t pid,
                                               std::shared_ptr<const PolicySet> policies) {
  const auto found = CgroupHierarchy::Find();
  const CgroupHierarchy* const hierarchy = found.ok() ? &*found : nullptr;
  SnapshotOptions options;
  options.pids = {pid};
  auto snapshot = TakeSnapshot(hierarchy, options);
  if (!snapshot.ok()) return snapshot.status();
  ProcessCoverage result;
  for (const ProcessRow& row : snapshot->processes) result.has_shim |= row.shim_loaded;
  const AuditReport report = BuildReport(*std::move(snapshot), hierarchy, "", {std::nullopt});
  PolicyStatus status;
  status.set = std::move(policies);
  const CoverageReport coverage =
      CoverageReader().Read(report, status, hierarchy, PodTable::Read());
  const CoveredProcess* const process = FindCovered(coverage, pid);
  if (process != nullptr) result.judged = *process;
  return result;
}

}  // namespace pagewarden
