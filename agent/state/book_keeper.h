// SPDX-License-Identifier: Apache-2.0
// Keeps the books (books.h) over the end of processes and of the agent.
//
//   auto keeper = BookKeeper::Open("/var/lib/pagewarden", &hierarchy);
//   for (const WatchEvent& event : events) keeper->Add(event);
//   keeper->Update(report, coverage, absl::Now());
//   keeper->Journal();                       // before anybody sees keeper->books()
//   … every minute and at the end: keeper->Save();
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/audit/report.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/coverage/coverage.h"
#include "agent/state/books.h"
#include "agent/watch/watch.h"

namespace pagewarden {

// Not thread-safe.
class BookKeeper {
 public:
  // Goes on with what was kept; where that is damaged, with the copy before it, else
  // without: see `notes`. `hierarchy` outlives this; null: cgroups have no identity and no
  // OOM kills. FailedPrecondition: the directory is not to be trusted.
  static absl::StatusOr<BookKeeper> Open(const std::string& state_dir,
                                         const CgroupHierarchy* hierarchy = nullptr);
  BookKeeper(BookKeeper&&) noexcept;
  BookKeeper& operator=(BookKeeper&&) noexcept;
  ~BookKeeper();

  // Names of the policies that the agent has: these have books however many there are.
  void SetPolicies(std::set<std::string> loaded);
  void Add(const WatchEvent& event);
  void Update(const AuditReport& report, const CoverageReport& coverage, absl::Time now);

  const Books& books() const;

  // Writes what has changed since the last call, if anything has, without waiting for the
  // disk: what SIGKILL leaves. Call it before the books are shown to anybody.
  absl::Status Journal();
  // All of it, and waits for the disk: what a crash of the machine leaves.
  absl::Status Save();

  // What Open had to do, one line each.
  const std::vector<std::string>& notes() const;

 private:
  struct State;
  explicit BookKeeper(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pagewarden
