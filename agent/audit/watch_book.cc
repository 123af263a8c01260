// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/watch_book.h"

#include <algorithm>

#include "agent/audit/events.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxCgroups = 4096;
constexpr char kOthers[] = "(others)";

}  // namespace

void WatchBook::Add(const WatchEvent& event) {
  const bool full = seen_.denials.size() >= kMaxCgroups && seen_.denials.count(event.cgroup) == 0;
  const bool is_bypass = event.verdict && event.verdict->reason == Reason::kPrivilegedBypass;
  if (!event.guard_hit && !is_bypass && !IsRefusal(event)) return;
  DenialCounts& counts = seen_.denials[full ? kOthers : event.cgroup];
  const uint64_t times = 1 + (event.attempt ? event.attempt->repeats : 0);
  if (event.guard_hit) {
    ++counts.guard_hits;
  } else if (is_bypass) {
    counts.privileged_bypasses += times;
  } else {
    counts.by_reason[VerdictCode(*event.verdict)] += times;
  }
}

void WatchBook::Add(const ProcessRow& row) {
  SampledPeak& sampled = seen_.sampled_peaks[row.pid];
  const bool is_same = sampled.start_time_ns == row.start_time_ns;
  sampled = {row.start_time_ns, std::max(is_same ? sampled.bytes : 0, row.locked_bytes), round_};
}

void WatchBook::Add(const CgroupRow& cgroup) {
  SampledCgroup& sampled = seen_.sampled_cgroups[cgroup.path];
  if (!IsOf(sampled, cgroup)) sampled = SampledCgroup();
  if (cgroup.id != 0) sampled.id = cgroup.id;
  sampled.bytes = std::max(sampled.bytes, cgroup.own.locked_bytes);
  sampled.subtree_bytes = std::max(sampled.subtree_bytes, cgroup.subtree.locked_bytes);
  sampled.round = round_;
}

void WatchBook::Add(const AuditReport& report) {
  ++round_;
  for (const CgroupRow& cgroup : report.cgroups) {
    Add(cgroup);
    for (const ProcessRow& row : cgroup.processes) Add(row);
  }
  const auto is_gone = [this](const auto& entry) { return entry.second.round != round_; };
  absl::erase_if(seen_.sampled_peaks, is_gone);
  absl::erase_if(seen_.sampled_cgroups, is_gone);
}

const Observations& WatchBook::Observe(const Watch* watch, absl::Duration watched) {
  seen_.watched = watched;
  if (watch != nullptr) {
    seen_.process_peaks = watch->ProcessPeaks();
    seen_.cgroup_peaks = watch->CgroupPeaks();
    seen_.hooks = watch->hooks();
  }
  return seen_;
}

}  // namespace pagewarden
