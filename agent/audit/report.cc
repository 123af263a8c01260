// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/report.h"

#include <algorithm>
#include <utility>

namespace pagewarden {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kLimitGranule = 64 << 10;
// Arena sizes come from the audited process; more than this is not a plan.
constexpr uint64_t kMaxNeedBytes = uint64_t{1} << 62;

uint64_t CappedSum(uint64_t a, uint64_t b) {
  return a > kMaxNeedBytes || b > kMaxNeedBytes ? kMaxNeedBytes : std::min(a + b, kMaxNeedBytes);
}

uint64_t NeedOf(const ProcessRow& row) {
  uint64_t arenas = 0;
  if (row.shim) {
    for (const ShimArena& arena : row.shim->arenas) {
      if (arena.IsInherited()) arenas = CappedSum(arenas, arena.capacity_bytes);
    }
  }
  return std::min(std::max(row.locked_bytes, arenas), kMaxNeedBytes);
}

void AddToSums(const ProcessRow& row, CgroupRow& cgroup) {
  cgroup.locked_bytes += row.locked_bytes;
  cgroup.pinned_bytes += row.pinned_bytes;
  cgroup.usage_max_ratio = std::max(cgroup.usage_max_ratio, UsageRatio(row));
  if (row.soft_limit_bytes) {
    cgroup.limit_min_bytes =
        std::min(*row.soft_limit_bytes, cgroup.limit_min_bytes.value_or(*row.soft_limit_bytes));
  }
}

CgroupRow BuildCgroup(std::string path, std::vector<ProcessRow> rows,
                      const CgroupHierarchy* hierarchy) {
  CgroupRow cgroup;
  cgroup.identity = ClassifyCgroup(path);
  if (hierarchy != nullptr) cgroup.unevictable_bytes = hierarchy->UnevictableBytes(path);
  for (const ProcessRow& row : rows) AddToSums(row, cgroup);
  cgroup.peak_locked_bytes = cgroup.locked_bytes;
  cgroup.recommended_limit_bytes = RecommendedLimit(rows);
  cgroup.path = std::move(path);
  cgroup.processes = std::move(rows);
  return cgroup;
}

}  // namespace

double UsageRatio(const ProcessRow& row) {
  if (!row.soft_limit_bytes) return 0;
  return static_cast<double>(row.locked_bytes) /
         static_cast<double>(std::max(*row.soft_limit_bytes, kPageBytes));
}

uint64_t RecommendedLimit(const std::vector<ProcessRow>& rows) {
  uint64_t need = 0;
  for (const ProcessRow& row : rows) need = std::max(need, NeedOf(row));
  need += need / 4 + (need % 4 != 0);
  return (need + kLimitGranule - 1) / kLimitGranule * kLimitGranule;
}

AuditReport BuildReport(Snapshot snapshot, const CgroupHierarchy* hierarchy, std::string host) {
  AuditReport report;
  report.host = std::move(host);
  report.source = std::move(snapshot.source);
  report.reconciled = snapshot.reconciled;
  report.residue = std::move(snapshot.residue);
  std::map<std::string, std::vector<ProcessRow>> by_path;
  for (ProcessRow& row : snapshot.processes) by_path[row.cgroup].push_back(std::move(row));
  for (auto& [path, rows] : by_path) {
    report.cgroups.push_back(BuildCgroup(path, std::move(rows), hierarchy));
  }
  return report;
}

}  // namespace pagewarden
