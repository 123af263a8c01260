// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/host_auditor.h"

#include <sys/utsname.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/audit/watch_gaps.h"
#include "agent/base/steady_now.h"
#include "agent/cgroup/paths.h"

namespace pagewarden {
namespace {

// It reads the status of each process that locks memory: the more there are, the less often.
constexpr absl::Duration kBetweenReconciliations = absl::Seconds(10);
constexpr absl::Duration kMostBetweenReconciliations = absl::Minutes(1);
constexpr int kTimesItsDuration = 1000;

std::string NameOfHost() {
  utsname names;
  return uname(&names) == 0 ? names.nodename : "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<HostAuditor>> HostAuditor::Open(const HostAuditorOptions& options) {
  auto auditor = std::unique_ptr<HostAuditor>(new HostAuditor);
  auditor->options_ = options;
  auditor->host_ = NameOfHost();
  auto hierarchy = CgroupHierarchy::Find();
  if (hierarchy.ok()) {
    auditor->hierarchy_ = *std::move(hierarchy);
  } else {
    auditor->AddGap(absl::StrCat("no cgroups : ", hierarchy.status().message()));
  }
  auto reader = SnapshotReader::Open(auditor->hierarchy(), SnapshotSource::kAuto);
  if (!reader.ok()) return reader.status();
  auditor->reader_ = *std::move(reader);
  WatchOptions watch_options;
  watch_options.trace_syscalls = options.trace_syscalls;
  auto watch = Watch::Open(auditor->hierarchy(), watch_options);
  if (watch.ok()) {
    auditor->watch_ = *std::move(watch);
    const WatchGaps gaps = GapsOf(auditor->watch_->hooks());
    for (const std::string& gap : gaps.serious) auditor->AddGap(gap);
    if (!gaps.note.empty()) auditor->AddGap(gaps.note);
  } else {
    auditor->AddGap(absl::StrCat("no events, only audits : ", watch.status().message()));
  }
  auditor->start_ = SteadyNow();
  return auditor;
}

// Once for each kind, which the numbers behind " of " are no part of.
void HostAuditor::AddGap(const std::string& gap) {
  if (known_gaps_.insert(gap.substr(0, gap.find(" of "))).second) new_gaps_.push_back(gap);
}

std::vector<std::string> HostAuditor::TakeGaps() { return std::exchange(new_gaps_, {}); }

std::vector<WatchEvent> HostAuditor::Wait(absl::Duration timeout) {
  if (!watch_) {
    absl::SleepFor(timeout);
    return {};
  }
  std::vector<WatchEvent> events;
  for (WatchEvent& event : watch_->Poll(timeout)) {
    // The hooks see the whole machine.
    if (!options_.cgroup.empty() && !IsAtOrBelowCgroup(event.cgroup, options_.cgroup)) continue;
    book_.Add(event);
    events.push_back(std::move(event));
  }
  return events;
}

absl::StatusOr<AuditReport> HostAuditor::Audit(SnapshotOptions wanted) {
  const Observations& seen = book_.Observe(watch(), SteadyNow() - start_);
  wanted.cgroup = options_.cgroup;
  for (const auto& [pid, peak] : seen.process_peaks) {
    if (peak.bytes > 0) wanted.rows_of.insert(pid);
  }
  auto snapshot = reader_->Read(wanted);
  if (!snapshot.ok()) {
    ++errors_["snapshot"];
    return snapshot.status();
  }
  if (!snapshot->fallback_reason.empty()) {
    AddGap(absl::StrCat("reading /proc instead of BPF : ", snapshot->fallback_reason));
  }

  for (const std::string& line : snapshot->unreadable) {
    AddGap(absl::StrCat("incomplete : cannot read ", line));
  }
  Reconcile(*snapshot);
  ReportOptions options;
  options.top = options_.cgroup.empty() ? "/" : options_.cgroup;
  options.observations = &seen;
  options.unevictable = &unevictable_;
  AuditReport report = BuildReport(*std::move(snapshot), hierarchy(), host_, options);
  report.differences = differences_;
  book_.Add(report);
  return report;
}

void HostAuditor::Reconcile(const Snapshot& snapshot) {
  const absl::Time now = SteadyNow();
  if (now < next_reconciliation_) return;
  differences_ = pagewarden::Reconcile(snapshot, *reader_);
  const absl::Duration pause = kTimesItsDuration * (SteadyNow() - now);
  next_reconciliation_ =
      now + std::clamp(pause, kBetweenReconciliations, kMostBetweenReconciliations);
}

}  // namespace pagewarden
