// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <algorithm>
#include <iostream>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/audit/changes.h"
#include "agent/audit/events.h"
#include "agent/audit/reconcile.h"
#include "agent/audit/snapshot_reader.h"
#include "agent/audit/watch_book.h"
#include "agent/audit/watch_gaps.h"
#include "agent/base/exit_codes.h"
#include "agent/cgroup/paths.h"
#include "agent/cli/audit_coverage.h"
#include "agent/cli/audit_options.h"

namespace pagewarden {
namespace {

// How late a signal may be noticed.
constexpr absl::Duration kLongestWait = absl::Milliseconds(200);

// It reads the status of each process that locks memory.
constexpr absl::Duration kBetweenReconciliations = absl::Seconds(10);

volatile sig_atomic_t stop_asked = 0;

void AskToStop(int) { stop_asked = 1; }

// Ends the watch, not the program: the last report is still to be printed. A second signal
// ends the program.
void CatchSignals() {
  struct sigaction action = {};
  action.sa_handler = AskToStop;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

class AuditWatch {
 public:
  AuditWatch(const AuditOptions& options, const CgroupHierarchy* hierarchy)
      : options_(options),
        hierarchy_(hierarchy),
        coverage_(options.policy_dirs, options.max_mode) {}

  int Run() {
    if (!OpenReader()) return kExitPartialData;
    OpenEvents();
    start_ = absl::Now();
    if (!TakeReport(/*whole=*/true)) return kExitPartialData;
    Announce();
    if (options_.json) std::cout << FormatJson(report_, JsonLayout::kLine) << std::flush;
    const absl::Time end = start_ + options_.watch_for;
    for (absl::Time next = absl::Now(); !IsOver(end);) {
      next = std::max(next + *options_.watch_every, absl::Now());
      WaitUntil(std::min(next, end));
      if (!Tick()) return kExitPartialData;
    }
    ReportLoss();
    if (!options_.json) {
      if (!TakeReport(/*whole=*/true)) return kExitPartialData;
      std::cout << "\n";
      if (!PrintReport(options_, report_)) return kExitPartialData;
    }
    return AuditExitCode(options_, report_, partial_);
  }

 private:
  bool IsOver(absl::Time end) const { return stop_asked != 0 || absl::Now() >= end; }

  bool OpenReader() {
    auto reader = SnapshotReader::Open(hierarchy_, options_.snapshot.source);
    if (!reader.ok()) {
      Complain(absl::StrCat("cannot watch : ", reader.status().message()));
      return false;
    }
    reader_.emplace(*std::move(reader));
    return true;
  }

  void OpenEvents() {
    WatchOptions options;
    options.trace_syscalls = options_.trace_syscalls;
    options.pids = options_.snapshot.pids;
    options.count_runs = options_.hooks;
    auto watch = Watch::Open(hierarchy_, options);
    if (watch.ok()) {
      watch_.emplace(*std::move(watch));
      const WatchGaps gaps = GapsOf(watch_->hooks());
      for (const std::string& gap : gaps.serious) Partial(gap);
      if (!gaps.note.empty()) Complain(gaps.note);
    } else {
      Partial(absl::StrCat("no events, only snapshots : ", watch.status().message()));
    }
    if (!options_.trace_syscalls) return;
    Complain(
        "--trace-syscalls : every system call of every process is some 20 ns slower meanwhile");
  }

  void ReportLoss() {
    if (!watch_) return;
    if (const std::string loss = LossOf(watch_->hooks()); !loss.empty()) Partial(loss);
  }

  // Once for each kind, which the numbers behind " of " are no part of.
  void Partial(const std::string& cause) {
    partial_ = true;
    if (complaints_.insert(cause.substr(0, cause.find(" of "))).second) Complain(cause);
  }

  void Announce() const {
    Complain(absl::StrCat("watching ", report_.peaks.size(),
                          report_.peaks.size() == 1 ? " process every " : " processes every ",
                          absl::FormatDuration(*options_.watch_every), " : Ctrl-C ends it"));
  }

  // `whole`: with a row of every process, though nothing is to be told of it.
  bool TakeReport(bool whole) {
    const Observations& seen = book_.Observe(watch_ ? &*watch_ : nullptr, absl::Now() - start_);
    SnapshotOptions wanted = options_.snapshot;
    wanted.sum_up_quiet = !whole;
    for (const auto& [pid, peak] : seen.process_peaks) {
      if (peak.bytes > 0) wanted.rows_of.insert(pid);
    }
    coverage_.Prepare(wanted);
    for (const std::string& message : coverage_.TakeMessages()) Complain(message);
    auto snapshot = reader_->Read(wanted);
    if (!snapshot.ok()) {
      Complain(absl::StrCat("the watch ends : ", snapshot.status().message()));
      return false;
    }
    if (!snapshot->fallback_reason.empty() &&
        complaints_.insert(snapshot->fallback_reason).second) {
      Complain(absl::StrCat("reading /proc instead of BPF : ", snapshot->fallback_reason));
    }
    for (const std::string& line : snapshot->unreadable) {
      Partial(absl::StrCat("incomplete : cannot read ", line));
    }
    ReconcileNowAndThen(*snapshot);
    ReportOptions report_options = ReportOptionsOf(options_);
    report_options.observations = &seen;
    report_ = BuildReport(*std::move(snapshot), hierarchy_, HostName(), report_options);
    report_.differences = differences_;
    coverage_.AddTo(report_, hierarchy_);
    book_.Add(report_);
    return true;
  }

  void ReconcileNowAndThen(const Snapshot& snapshot) {
    if (absl::Now() - reconciled_ < kBetweenReconciliations) return;
    reconciled_ = absl::Now();
    differences_ = Reconcile(snapshot, *reader_);
  }

  void WaitUntil(absl::Time time) {
    for (;;) {
      const absl::Duration left = time - absl::Now();
      if (left <= absl::ZeroDuration() || stop_asked != 0) return;
      const absl::Duration wait = std::min(left, kLongestWait);
      if (!watch_) {
        absl::SleepFor(wait);
        continue;
      }
      for (const WatchEvent& event : watch_->Poll(wait)) Handle(event);
    }
  }

  void Handle(const WatchEvent& event) {
    const std::string& top = options_.snapshot.cgroup;
    if (!top.empty() && !IsAtOrBelowCgroup(event.cgroup, top)) return;
    book_.Add(event);
    if (options_.json) {
      std::cout << EventJson(event);
    } else {
      std::cout << LineTime(event.time) << " " << EventText(event) << "\n";
    }
    std::cout.flush();
  }

  bool Tick() {
    const AuditReport before = std::move(report_);
    if (!TakeReport(/*whole=*/options_.json)) return false;
    const absl::Time now = absl::Now();
    for (const Change& change : ChangesBetween(before, report_, options_.table.by)) {
      if (options_.json) {
        std::cout << ChangeJson(change, now);
      } else {
        std::cout << LineTime(now) << " " << ChangeText(change) << "\n";
      }
    }
    if (options_.json) std::cout << FormatJson(report_, JsonLayout::kLine);
    std::cout.flush();
    if (std::cout) return true;
    Complain("the watch ends : output error");
    return false;
  }

  const AuditOptions& options_;
  const CgroupHierarchy* hierarchy_;
  AuditCoverage coverage_;
  absl::Time start_;  // when all hooks were attached
  std::optional<SnapshotReader> reader_;
  std::optional<Watch> watch_;
  absl::Time reconciled_ = absl::InfinitePast();
  std::vector<CounterDifference> differences_;
  WatchBook book_;
  AuditReport report_;
  bool partial_ = hierarchy_ == nullptr;
  std::set<std::string> complaints_;
};

}  // namespace

int WatchAudit(const AuditOptions& options, const CgroupHierarchy* hierarchy) {
  CatchSignals();
  return AuditWatch(options, hierarchy).Run();
}

}  // namespace pagewarden
