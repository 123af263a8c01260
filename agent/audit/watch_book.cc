// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/watch_book.h"

#include <algorithm>
#include <utility>

#include "agent/audit/events.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxCgroups = 4096;
constexpr char kOthers[] = "(others)";

// The higher one; exact where that is the one that saw every change.
void Merge(uint64_t sampled, Peak& peak) {
  if (sampled > peak.bytes) peak = {sampled, false};
}

}  // namespace

void WatchBook::Add(const WatchEvent& event) {
  const bool full = denials_.size() >= kMaxCgroups && denials_.count(event.cgroup) == 0;
  const bool is_bypass = event.verdict && event.verdict->reason == Reason::kPrivilegedBypass;
  if (!event.guard_hit && !is_bypass && !IsRefusal(event)) return;
  DenialCounts& counts = denials_[full ? kOthers : event.cgroup];
  const uint64_t times = 1 + (event.attempt ? event.attempt->repeats : 0);
  if (event.guard_hit) {
    ++counts.guard_hits;
  } else if (is_bypass) {
    counts.privileged_bypasses += times;
  } else {
    counts.by_reason[VerdictCode(*event.verdict)] += times;
  }
}

void WatchBook::Add(const AuditReport& report) {
  std::map<pid_t, SampledPeak> processes;
  std::map<std::string, uint64_t> cgroups;
  std::map<std::string, uint64_t> subtrees;
  for (const CgroupRow& cgroup : report.cgroups) {
    cgroups[cgroup.path] = std::max(cgroups_[cgroup.path], cgroup.own.locked_bytes);
    subtrees[cgroup.path] = std::max(subtrees_[cgroup.path], cgroup.subtree.locked_bytes);
    for (const ProcessRow& row : cgroup.processes) {
      const SampledPeak& old = processes_[row.pid];
      const uint64_t before = old.start_time_ns == row.start_time_ns ? old.bytes : 0;
      processes[row.pid] = {row.start_time_ns, std::max(before, row.locked_bytes)};
    }
  }
  processes_ = std::move(processes);
  cgroups_ = std::move(cgroups);
  subtrees_ = std::move(subtrees);
}

Observations WatchBook::Observe(const Watch* watch, absl::Duration watched) const {
  Observations seen;
  seen.watched = watched;
  if (watch != nullptr) {
    seen.process_peaks = watch->ProcessPeaks();
    seen.cgroup_peaks = watch->CgroupPeaks();
    seen.hooks = watch->hooks();
  }
  seen.sampled_peaks = processes_;
  for (const auto& [path, bytes] : cgroups_) Merge(bytes, seen.cgroup_peaks[path]);
  seen.subtree_peaks = subtrees_;
  seen.denials = denials_;
  return seen;
}

}  // namespace pagewarden
