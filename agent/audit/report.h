// SPDX-License-Identifier: Apache-2.0
// The audit's answer: a snapshot rolled up by cgroup and by user.
//
//   AuditReport report = BuildReport(std::move(snapshot), &hierarchy, host);
//   std::cout << FormatJson(report);  // formats.h
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/audit/process_row.h"
#include "agent/audit/snapshot.h"
#include "agent/cgroup/classify.h"
#include "agent/cgroup/hierarchy.h"

namespace pagewarden {

struct CgroupRow {
  std::string path;
  CgroupIdentity identity;
  uint64_t locked_bytes = 0;  // sums over `processes`, without cgroups below
  uint64_t pinned_bytes = 0;
  std::optional<uint64_t> unevictable_bytes;  // memory.stat; nullopt: no such figure
  // The kernel keeps no high-water mark. Without the daemon: the current value.
  uint64_t peak_locked_bytes = 0;
  std::optional<uint64_t> limit_min_bytes;  // tightest soft limit; nullopt: all unlimited
  double usage_max_ratio = 0;               // worst process, see UsageRatio
  uint64_t recommended_limit_bytes = 0;     // see RecommendedLimit
  std::vector<ProcessRow> processes;        // by pid
};

struct AuditReport {
  std::string host;
  std::string source;
  size_t reconciled = 0;
  std::vector<CgroupRow> cgroups;  // by path
  std::map<uid_t, uint64_t> residue;
};

// Locked bytes over the soft limit; 0 without a limit. A limit below a page
// allows nothing and counts as one page, so that the ratio stays finite.
double UsageRatio(const ProcessRow& row);

// The RLIMIT_MEMLOCK that every process of `rows` would be well served by: the
// largest of what each locks and what its shim's arenas can hold, plus 25 %,
// rounded up to 64 KiB. 0 where nothing is locked and no arena exists.
uint64_t RecommendedLimit(const std::vector<ProcessRow>& rows);

// `hierarchy` supplies memory.stat and may be null.
AuditReport BuildReport(Snapshot snapshot, const CgroupHierarchy* hierarchy, std::string host);

}  // namespace pagewarden
