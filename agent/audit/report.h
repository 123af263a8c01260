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

#include "absl/container/flat_hash_map.h"
#include "agent/audit/observations.h"
#include "agent/audit/process_row.h"
#include "agent/audit/recommend.h"
#include "agent/audit/reconcile.h"
#include "agent/audit/snapshot.h"
#include "agent/cgroup/classify.h"
#include "agent/cgroup/figure_cache.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/coverage/coverage.h"

namespace pagewarden {

// Of a cgroup's own processes, or of them and all below. Locked, pinned and unevictable
// bytes count different things, some of them twice: they are never added (docs/audit.md).
struct CgroupSums {
  size_t processes = 0;
  uint64_t locked_bytes = 0;
  uint64_t pinned_bytes = 0;
  std::optional<uint64_t> unevictable_bytes;  // memory.stat; nullopt: no such figure
  Peak peak;  // of the sum of locked bytes; the kernel keeps no high-water mark
  std::optional<uint64_t> limit_min_bytes;  // tightest soft limit; nullopt: all unlimited
  double usage_max_ratio = 0;               // worst process, see UsageRatio
  Recommendation recommendation;
  DenialCounts denials;
};

struct CgroupRow {
  std::string path;
  uint64_t id = 0;    // inode of its directory; 0: unknown, as of one without processes
  uint64_t sign = 0;  // another one: its processes or what they lock have changed
  CgroupIdentity identity;
  CgroupSums own;
  CgroupSums subtree;                 // with all cgroups below; `own` where there was no roll-up
  std::vector<ProcessRow> processes;  // by pid; quiet ones are in `own` only
};

struct AuditReport {
  std::string host;
  std::string source;
  size_t reconciled = 0;
  std::optional<CgroupVersion> cgroup_version;  // nullopt: no hierarchy
  std::vector<CgroupRow> cgroups;               // by path: each parent before its children
  std::map<uid_t, uint64_t> residue;            // see Snapshot
  std::map<uid_t, UidResidue> residue_details;
  absl::flat_hash_map<pid_t, Peak> peaks;        // of each process that has a row
  std::map<pid_t, ProcessLimits> limits_before;  // see Snapshot
  std::vector<CounterDifference> differences;    // filled in by who compared
  // nullopt: not asked for, or the policies are not known. Filled in by who read it.
  std::optional<CoverageReport> coverage;
  absl::Duration watched;  // 0: a single snapshot, no denials could be seen
  std::vector<HookReport> hooks;
};

struct ReportOptions {
  // Parents up to this one get a row, and every row its subtree's sums. nullopt: no
  // roll-up, as of chosen processes, whose sums would say nothing of the cgroup.
  std::optional<std::string> top = "/";
  const Observations* observations = nullptr;  // may be null
  // Of the reports before: memory.stat is read again where it will have changed. Null: read.
  FigureCache<Unevictable>* unevictable = nullptr;
};

// Whether that was sampled of this cgroup, as far as is known.
bool IsOf(const SampledCgroup& sampled, const CgroupRow& cgroup);

// Null: no policy selects the process, as far as is known.
const CoveredProcess* CoverageOf(const AuditReport& report, pid_t pid);

// Locked bytes over the soft limit; 0 without a limit. A limit below a page
// allows nothing and counts as one page, so that the ratio stays finite.
double UsageRatio(const ProcessRow& row);

// "exact": an event told of every change; "sampled": the highest of the snapshots.
inline const char* PeakQuality(const Peak& peak) { return peak.exact ? "exact" : "sampled"; }

// `hierarchy` supplies memory.stat and may be null.
AuditReport BuildReport(Snapshot snapshot, const CgroupHierarchy* hierarchy, std::string host,
                        const ReportOptions& options = {});

}  // namespace pagewarden
