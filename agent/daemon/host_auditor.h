// SPDX-License-Identifier: Apache-2.0
// Audits the host at an interval, with the hooks and the programs of the one before.
//
//   auto auditor = HostAuditor::Open({});
//   for (;;) {
//     for (const WatchEvent& event : auditor->Wait(absl::Seconds(1))) …
//     auto report = auditor->Audit({});
//   }
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/audit/reconcile.h"
#include "agent/audit/report.h"
#include "agent/audit/snapshot_reader.h"
#include "agent/audit/watch_book.h"
#include "agent/cgroup/figure_cache.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/watch/watch.h"

namespace pagewarden {

struct HostAuditorOptions {
  std::string cgroup;  // only this one and those below; empty: all
  bool trace_syscalls = false;
};

// Not thread-safe.
class HostAuditor {
 public:
  // Works with whatever can be used here; the error is of /proc itself.
  static absl::StatusOr<std::unique_ptr<HostAuditor>> Open(const HostAuditorOptions& options);

  // Until something happens, `timeout` at most; all that happened.
  std::vector<WatchEvent> Wait(absl::Duration timeout);

  // `wanted`: rows that are asked for; what quiet processes there are is summed up.
  absl::StatusOr<AuditReport> Audit(SnapshotOptions wanted);

  // What cannot be seen here, each once in the auditor's life, "<what> : <why>".
  std::vector<std::string> TakeGaps();

  const CgroupHierarchy* hierarchy() const { return hierarchy_ ? &*hierarchy_ : nullptr; }
  const Watch* watch() const { return watch_ ? &*watch_ : nullptr; }
  const SnapshotReader& reader() const { return *reader_; }
  const std::map<std::string, uint64_t>& errors() const { return errors_; }  // by reason

 private:
  HostAuditor() = default;

  void AddGap(const std::string& gap);
  void Reconcile(const Snapshot& snapshot);

  HostAuditorOptions options_;
  std::optional<CgroupHierarchy> hierarchy_;
  std::optional<SnapshotReader> reader_;
  std::optional<Watch> watch_;
  WatchBook book_;
  FigureCache<Unevictable> unevictable_;
  std::string host_;
  absl::Time start_;
  absl::Time next_reconciliation_ = absl::InfinitePast();
  std::vector<CounterDifference> differences_;
  std::map<std::string, uint64_t> errors_;
  std::set<std::string> known_gaps_;
  std::vector<std::string> new_gaps_;
};

}  // namespace pagewarden
