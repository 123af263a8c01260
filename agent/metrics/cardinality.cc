// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/cardinality.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace pagewarden {
namespace {

constexpr absl::Duration kUrgencyLasts = absl::Minutes(5);
constexpr double kNearLimit = 0.9;
constexpr uint64_t kIncumbentFactor = 2;

bool HasUnfencedSecret(const CgroupFigures& figures) {
  return std::any_of(
      figures.secret_copies.begin(), figures.secret_copies.end(),
      [](const auto& copies) { return copies.first.second == "false" && copies.second > 0; });
}

bool IsOverBudget(const CgroupFigures& figures) {
  return std::any_of(figures.budgets.begin(), figures.budgets.end(),
                     [](const auto& budget) { return budget.second.Ratio() > kNearLimit; });
}

bool NeedsAttention(const CgroupFigures& figures) {
  return !figures.uncovered.empty() || !figures.rlimit_breaches.empty() ||
         figures.usage_max_ratio > kNearLimit || IsOverBudget(figures) ||
         HasUnfencedSecret(figures);
}

// The smallest comes first.
using Rank = std::tuple<int, uint64_t, bool, size_t>;  // urgency, weight, new, index

}  // namespace

Urgency UrgencyOf(const CgroupFigures& figures) {
  if (NeedsAttention(figures)) return Urgency::kAttention;
  if (!figures.denials.empty() || figures.oom_kills > 0) return Urgency::kRefused;
  if (!figures.budgets.empty() || !figures.secret_copies.empty()) return Urgency::kWatched;
  if (figures.locked_bytes > 0) return Urgency::kLocking;
  return figures.peak_bytes > 0 || figures.pinned_bytes > 0 ? Urgency::kQuiet : Urgency::kNothing;
}

Urgency CgroupChoice::Steady(const CgroupFigures& figures, absl::Time now) const {
  const Urgency urgency = UrgencyOf(figures);
  const auto kept = kept_.find(figures.path);
  if (kept == kept_.end() || now - kept->second.since > kUrgencyLasts) return urgency;
  return std::max(urgency, kept->second.urgency);
}

CgroupSplit CgroupChoice::Split(const std::vector<CgroupFigures>& cgroups, absl::Time now) {
  CgroupSplit split;
  std::vector<Rank> ranks;
  for (size_t i = 0; i < cgroups.size(); ++i) {
    const Urgency urgency = Steady(cgroups[i], now);
    if (urgency == Urgency::kNothing) {
      split.folded.push_back(i);
      continue;
    }
    const bool is_new = kept_.count(cgroups[i].path) == 0;
    const uint64_t weight = cgroups[i].locked_bytes / (is_new ? kIncumbentFactor : 1);
    ranks.emplace_back(-static_cast<int>(urgency), UINT64_MAX - weight, is_new, i);
  }
  split.tracked = ranks.size();
  std::sort(ranks.begin(), ranks.end());
  std::map<std::string, Kept> kept;
  for (size_t n = 0; n < ranks.size(); ++n) {
    const size_t i = std::get<3>(ranks[n]);
    (n < max_cgroups_ ? split.exported : split.folded).push_back(i);
    if (n >= max_cgroups_) continue;
    const Urgency urgency = UrgencyOf(cgroups[i]);
    const Urgency steady = Steady(cgroups[i], now);
    kept[cgroups[i].path] = {steady, urgency == steady ? now : kept_[cgroups[i].path].since};
  }
  kept_ = std::move(kept);
  std::sort(split.exported.begin(), split.exported.end());
  std::sort(split.folded.begin(), split.folded.end());
  return split;
}

}  // namespace pagewarden
