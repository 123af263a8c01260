// SPDX-License-Identifier: Apache-2.0
// All metrics of the agent: the one table from which the exposition, docs/metrics.md and
// `pagewarden metrics` come.
#pragma once

#include <string>
#include <vector>

namespace pagewarden {

enum class Metric {
  kCgroupLocked,
  kCgroupPinned,
  kCgroupUnevictable,
  kCgroupLockedPeak,
  kCgroupLimitMin,
  kCgroupUsageMax,
  kCgroupRecommendedLimit,
  kCgroupLockingProcesses,
  kCgroupBudget,
  kCgroupBudgetUsed,
  kCgroupRlimitBreaches,
  kDenials,
  kOomKills,
  kUncovered,
  kSecretCopies,
  kSecretPinnedCopies,
  kPending,
  kShimProcesses,
  kShimSkipped,
  kTaggedAllocations,
  kTaggedFrees,
  kTaggedLive,
  kArenaCapacity,
  kArenaUsed,
  kArenaLocked,
  kArenaFallbacks,
  kGuardFaults,
  kCanaryViolations,
  kInvalidFrees,
  kPolicyInfo,
  kPolicySetInfo,
  kReloadSuccessful,
  kReloadSuccessTime,
  kSecretCheckTime,
  kSecretCheckErrors,
  kEventsLost,
  kScanDuration,
  kScanErrors,
  kProgramAttached,
  kCgroupsTracked,
  kCgroupsFolded,
  kBuildInfo,
  kProcessCpu,
  kProcessStart,
  kProcessResident,
  kProcessVirtual,
  kProcessOpenFds,
  kProcessMaxFds,
  kProcessThreads,
};

enum class MetricType { kGauge, kCounter, kHistogram };

struct MetricFamily {
  Metric metric;
  const char* name;
  MetricType type;
  // Of each sample, in this order; an empty value is left out. Those that begin with
  // "cgroup" are of the cardinality guard.
  std::vector<const char*> labels;
  const char* help;     // what it counts, one sentence
  const char* source;   // where the agent has it from
  const char* example;  // PromQL; empty: none
  // Whether a single snapshot knows it: also in `audit --format=prometheus`.
  bool in_snapshot;
};

// In the order of Metric.
const std::vector<MetricFamily>& MetricFamilies();
const MetricFamily& FamilyOf(Metric metric);

const char* TypeWord(MetricType type);  // "gauge", "counter", "histogram"

}  // namespace pagewarden
