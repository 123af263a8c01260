// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/cgroup_samples.h"

#include <limits>
#include <string>
#include <vector>

namespace pagewarden {
namespace {

// Adds the samples of one cgroup: its labels, then those that a family has beside them.
class CgroupSampler {
 public:
  CgroupSampler(const CgroupFigures& figures, Samples& samples)
      : labels_{figures.path, figures.kube_namespace, figures.pod, figures.container},
        samples_(samples) {}

  void Add(Metric metric, const std::vector<std::string>& more, uint64_t value) {
    AddReal(metric, more, static_cast<double>(value));
  }
  void AddReal(Metric metric, const std::vector<std::string>& more, double value) {
    std::vector<std::string> labels = labels_;
    labels.insert(labels.end(), more.begin(), more.end());
    samples_.Add(metric, std::move(labels), value);
  }

 private:
  std::vector<std::string> labels_;
  Samples& samples_;
};

void AddLimits(const CgroupFigures& figures, CgroupSampler& sampler) {
  if (!figures.has_processes) return;
  const double unlimited = std::numeric_limits<double>::infinity();
  sampler.AddReal(
      Metric::kCgroupLimitMin, {},
      figures.limit_min_bytes ? static_cast<double>(*figures.limit_min_bytes) : unlimited);
  sampler.AddReal(Metric::kCgroupUsageMax, {}, figures.usage_max_ratio);
}

}  // namespace

void AddGauges(const CgroupFigures& figures, Samples& samples) {
  CgroupSampler sampler(figures, samples);
  sampler.Add(Metric::kCgroupLocked, {}, figures.locked_bytes);
  sampler.Add(Metric::kCgroupPinned, {}, figures.pinned_bytes);
  if (figures.unevictable_bytes) {
    sampler.Add(Metric::kCgroupUnevictable, {}, *figures.unevictable_bytes);
  }
  sampler.Add(Metric::kCgroupLockedPeak, {}, figures.peak_bytes);
  sampler.Add(Metric::kCgroupLockingProcesses, {}, figures.locking_processes);
  if (figures.recommended_bytes > 0) {
    sampler.Add(Metric::kCgroupRecommendedLimit, {}, figures.recommended_bytes);
  }
  AddLimits(figures, sampler);
  for (const auto& [policy, budget] : figures.budgets) {
    sampler.Add(Metric::kCgroupBudget, {policy}, budget.limit_bytes);
    sampler.Add(Metric::kCgroupBudgetUsed, {policy}, budget.used_bytes);
  }
  for (const auto& [policy, count] : figures.rlimit_breaches) {
    sampler.Add(Metric::kCgroupRlimitBreaches, {policy}, count);
  }
  for (const auto& [key, count] : figures.uncovered) {
    sampler.Add(Metric::kUncovered, {key.first, key.second}, count);
  }
  for (const auto& [key, count] : figures.secret_copies) {
    sampler.Add(Metric::kSecretCopies, {key.first, key.second}, count);
  }
  for (const auto& [policy, count] : figures.secret_pinned_copies) {
    sampler.Add(Metric::kSecretPinnedCopies, {policy}, count);
  }
}

void AddCounters(const CgroupFigures& figures, Samples& samples) {
  CgroupSampler sampler(figures, samples);
  std::map<std::string, uint64_t> denials = {{"rlimit", 0}, {"rlimit_zero", 0}};
  for (const auto& [reason, count] : figures.denials) denials[reason] = count;
  for (const auto& [reason, count] : denials) sampler.Add(Metric::kDenials, {reason}, count);
  sampler.Add(Metric::kOomKills, {}, figures.oom_kills);
}

void AddNamespaceBudgets(const BudgetReport& budgets, Samples& samples) {
  for (const BudgetState& state : budgets.states) {
    if (state.scope != BudgetScope::kNamespace) continue;
    CgroupFigures figures;
    figures.kube_namespace = state.subject;
    CgroupSampler sampler(figures, samples);
    // Of several budgets of one policy, the lowest limit, which comes first.
    for (const BudgetSource& source : state.sources) {
      sampler.Add(Metric::kCgroupBudget, {source.policy}, source.limit_bytes);
      sampler.Add(Metric::kCgroupBudgetUsed, {source.policy}, source.used_bytes);
    }
  }
}

}  // namespace pagewarden
