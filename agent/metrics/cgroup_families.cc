// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/family_tables.h"

namespace pagewarden {
namespace {

// Which cgroup, and in Kubernetes which pod and container.
std::vector<const char*> OfCgroup(std::vector<const char*> more) {
  std::vector<const char*> labels = {"cgroup", "namespace", "pod", "container"};
  labels.insert(labels.end(), more.begin(), more.end());
  return labels;
}

}  // namespace

std::vector<MetricFamily> CgroupFamilies() {
  return {
      {Metric::kCgroupLocked, "pagewarden_cgroup_locked_bytes", MetricType::kGauge, OfCgroup({}),
       "Locked memory of the cgroup's own processes (mm->locked_vm): the mlock family, MAP_LOCKED, "
       "memfd_secret.",
       "VmLck of its processes", "topk(10, pagewarden_cgroup_locked_bytes)", true},
      {Metric::kCgroupPinned, "pagewarden_cgroup_pinned_bytes", MetricType::kGauge, OfCgroup({}),
       "Pinned memory of the cgroup's own processes (mm->pinned_vm): RDMA, io_uring buffers, vdpa.",
       "VmPin of its processes", "sum by (instance) (pagewarden_cgroup_pinned_bytes)", true},
      {Metric::kCgroupUnevictable, "pagewarden_cgroup_unevictable_bytes", MetricType::kGauge,
       OfCgroup({}),
       "Resident memory of the cgroup that cannot be reclaimed, by the kernel's own count; with "
       "the cgroups below on cgroup v2.",
       "unevictable of memory.stat",
       "pagewarden_cgroup_unevictable_bytes - pagewarden_cgroup_locked_bytes", true},
      {Metric::kCgroupLockedPeak, "pagewarden_cgroup_locked_peak_bytes", MetricType::kGauge,
       OfCgroup({}), "Highest locked memory of the cgroup's own processes that was ever seen.",
       "the agent's books, kept over restarts",
       "max_over_time(pagewarden_cgroup_locked_peak_bytes[7d])", true},
      {Metric::kCgroupLimitMin, "pagewarden_cgroup_memlock_limit_min_bytes", MetricType::kGauge,
       OfCgroup({}),
       "Tightest soft RLIMIT_MEMLOCK of the cgroup's own processes; +Inf: all are unlimited.",
       "the processes' limits", "pagewarden_cgroup_memlock_limit_min_bytes < 65536", true},
      {Metric::kCgroupUsageMax, "pagewarden_cgroup_memlock_usage_max_ratio", MetricType::kGauge,
       OfCgroup({}),
       "Locked memory over the soft limit of the process that is closest to its own, 0 to 1; above "
       "1 with CAP_IPC_LOCK.",
       "the processes' limits and VmLck", "pagewarden_cgroup_memlock_usage_max_ratio > 0.9", true},
      {Metric::kCgroupRecommendedLimit, "pagewarden_cgroup_recommended_limit_bytes",
       MetricType::kGauge, OfCgroup({}),
       "RLIMIT_MEMLOCK that the neediest process of the cgroup should have, with headroom; absent: "
       "no need was seen.",
       "docs/audit.md", "max by (cgroup) (pagewarden_cgroup_recommended_limit_bytes)", true},
      {Metric::kCgroupLockingProcesses, "pagewarden_cgroup_locking_processes", MetricType::kGauge,
       OfCgroup({}), "Own processes of the cgroup that have memory locked.",
       "VmLck of its processes", "sum(pagewarden_cgroup_locking_processes)", true},
      {Metric::kCgroupBudget, "pagewarden_cgroup_budget_bytes", MetricType::kGauge,
       OfCgroup({"policy"}),
       "Limit of the MemlockBudget that binds the cgroup, of several the one that is used up most.",
       "the policies", "", false},
      {Metric::kCgroupBudgetUsed, "pagewarden_cgroup_budget_used_bytes", MetricType::kGauge,
       OfCgroup({"policy"}),
       "Locked memory that counts against cgroup_budget_bytes of the same labels; a budget may "
       "cover the cgroups below.",
       "VmLck of the processes it selects",
       "pagewarden_cgroup_budget_used_bytes / pagewarden_cgroup_budget_bytes > 1", false},
      {Metric::kCgroupRlimitBreaches, "pagewarden_cgroup_rlimit_breaches", MetricType::kGauge,
       OfCgroup({"policy"}), "Processes whose hard RLIMIT_MEMLOCK is above a budget's maxRlimit.",
       "the processes' limits", "sum by (policy) (pagewarden_cgroup_rlimit_breaches)", false},
      {Metric::kDenials, "pagewarden_memlock_denials_total", MetricType::kCounter,
       OfCgroup({"reason"}), "Refused calls that lock or pin memory.",
       "the denial hooks, docs/reasons.md",
       "sum without (reason) (increase(pagewarden_memlock_denials_total[10m])) > 0", false},
      {Metric::kOomKills, "pagewarden_memlock_oom_kills_total", MetricType::kCounter, OfCgroup({}),
       "Processes of the cgroup that the kernel killed for memory while the cgroup held locked "
       "memory.",
       "oom_kill of memory.events", "increase(pagewarden_memlock_oom_kills_total[1h]) > 0", false},
      {Metric::kUncovered, "pagewarden_uncovered_processes", MetricType::kGauge,
       OfCgroup({"policy", "reason"}), "Processes that a policy selects and that are not fenced.",
       "coverage, docs/coverage.md", "sum by (policy, reason) (pagewarden_uncovered_processes)",
       true},
      {Metric::kSecretCopies, "pagewarden_secret_copies", MetricType::kGauge,
       OfCgroup({"policy", "fenced"}),
       "Copies of the secrets that a policy names, in the memory of the cgroup's processes.",
       "the last check of the secrets", "pagewarden_secret_copies{fenced=\"false\"} > 0", false},
      {Metric::kSecretPinnedCopies, "pagewarden_secret_pinned_copies", MetricType::kGauge,
       OfCgroup({"policy"}),
       "Copies that are locked where they are, as the policy's pin asks: not in the fence, and not "
       "in pagewarden_secret_copies. They cannot be swapped, but dumped.",
       "the last check of the secrets", "sum by (policy) (pagewarden_secret_pinned_copies)", false},
  };
}

}  // namespace pagewarden
