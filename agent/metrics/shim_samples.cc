// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <map>
#include <string>
#include <utility>

#include "agent/metrics/collect.h"
#include "agent/metrics/shim_names.h"

namespace pagewarden {
namespace {

using PolicyAndName = std::pair<std::string, std::string>;

// By abi::Fallback.
constexpr std::array<const char*, abi::kFallbackReasons> kFallbackWords = {
    "capacity", "too_large", "reentry", "limit", "fork", "size_unknown"};

struct ArenaSums {
  uint64_t capacity = 0;
  uint64_t used = 0;
  uint64_t locked = 0;
};

// Over all processes.
struct ShimSums {
  std::map<PolicyAndName, uint64_t> processes;  // by policy and mode
  std::map<PolicyAndName, uint64_t> live;       // bytes, by policy and rule
  std::map<PolicyAndName, ArenaSums> arenas;
};

void AddShim(const ShimState& shim, ShimNames& names, ShimSums& sums) {
  const std::string& policy = names.Policy(shim.policy);
  if (shim.active) ++sums.processes[{policy, shim.mode}];
  for (const ShimTag& tag : shim.tags) {
    if (tag.is_rule) sums.live[{policy, names.Rule(shim.policy, tag.name)}] += tag.live_bytes;
  }
  for (const ShimArena& arena : shim.arenas) {
    ArenaSums& sum = sums.arenas[{policy, names.Arena(shim.policy, arena.name)}];
    sum.capacity += arena.capacity_bytes;
    sum.used += arena.used_bytes;
    sum.locked += arena.locked_bytes;
  }
}

void AddBook(const std::string& policy, const PolicyBook& book, Samples& samples) {
  for (const auto& [rule, counts] : book.rules) {
    samples.Add(Metric::kTaggedAllocations, {policy, rule},
                static_cast<double>(counts.allocations));
    samples.Add(Metric::kTaggedFrees, {policy, rule}, static_cast<double>(counts.frees));
  }
  for (size_t i = 0; i < book.fallbacks.size(); ++i) {
    samples.Add(Metric::kArenaFallbacks, {policy, kFallbackWords[i]},
                static_cast<double>(book.fallbacks[i]));
  }
  const auto violations = [&](abi::Violation which) {
    return static_cast<double>(book.violations[which]);
  };
  samples.Add(Metric::kGuardFaults, {policy}, static_cast<double>(book.guard_hits));
  samples.Add(Metric::kCanaryViolations, {policy}, violations(abi::kViolationCanary));
  samples.Add(Metric::kInvalidFrees, {policy},
              violations(abi::kViolationDoubleFree) + violations(abi::kViolationWildFree));
}

}  // namespace

void AddShims(const HostView& view, Samples& samples) {
  ShimSums sums;
  ShimNames names(view);
  for (const CgroupRow& cgroup : view.report.cgroups) {
    for (const ProcessRow& process : cgroup.processes) {
      if (process.shim) AddShim(*process.shim, names, sums);
    }
  }
  for (const auto& [labels, count] : sums.processes) {
    samples.Add(Metric::kShimProcesses, {labels.first, labels.second}, static_cast<double>(count));
  }
  for (const auto& [labels, bytes] : sums.live) {
    samples.Add(Metric::kTaggedLive, {labels.first, labels.second}, static_cast<double>(bytes));
  }
  for (const auto& [labels, arena] : sums.arenas) {
    const std::vector<std::string> values = {labels.first, labels.second};
    samples.Add(Metric::kArenaCapacity, values, static_cast<double>(arena.capacity));
    samples.Add(Metric::kArenaUsed, values, static_cast<double>(arena.used));
    samples.Add(Metric::kArenaLocked, values, static_cast<double>(arena.locked));
  }
}

void AddShimBooks(const HostView& view, Samples& samples) {
  for (const auto& [policy, book] : view.books.policies) AddBook(policy, book, samples);
  for (const auto& [reason, count] : view.books.shims_skipped) {
    samples.Add(Metric::kShimSkipped, {reason}, static_cast<double>(count));
  }
}

void AddPending(const CoverageReport& coverage, Samples& samples) {
  std::map<PolicyAndName, uint64_t> pending;
  for (const CoveredProcess& process : coverage.processes) {
    if (process.state == CoverageState::kPending) ++pending[{process.policy, process.reason}];
  }
  for (const auto& [labels, count] : pending) {
    samples.Add(Metric::kPending, {labels.first, labels.second}, static_cast<double>(count));
  }
}

}  // namespace pagewarden
