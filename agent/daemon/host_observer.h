// SPDX-License-Identifier: Apache-2.0
// Policies, audits, coverage, budgets, secrets and books put together: one view an interval.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/coverage/coverage_reader.h"
#include "agent/daemon/agent_options.h"
#include "agent/daemon/budget_tracker.h"
#include "agent/daemon/host_auditor.h"
#include "agent/daemon/host_view.h"
#include "agent/keeper/policy_keeper.h"
#include "agent/secrets/secret_watch.h"
#include "agent/state/book_keeper.h"

namespace pagewarden {

// Not thread-safe.
class HostObserver {
 public:
  // Attaches what needs rights.
  static absl::StatusOr<std::unique_ptr<HostObserver>> Open(const AgentOptions& options);

  // Reads the policies and starts the watch over secrets: a thread.
  absl::Status Begin(const AgentOptions& options);

  // As HostAuditor::Wait. The books have counted them already.
  std::vector<WatchEvent> Wait(absl::Duration timeout);

  // An audit and all that is made of it, as of `now`.
  absl::StatusOr<HostView> Observe(absl::Time now);

  PolicyKeeper& keeper() { return *keeper_; }
  std::vector<HookReport> hooks() const;
  // For good: what it cannot see, and what was wrong with the books at the start.
  std::vector<std::string> TakeGaps();
  std::vector<std::string> TakeProblems();
  // Why the books are not kept at the moment; empty: they are.
  const std::string& book_problem() const { return book_problem_; }

  // What Observe showed, on the disk; an error is one of TakeProblems.
  void Save();

 private:
  explicit HostObserver(std::unique_ptr<HostAuditor> auditor) : auditor_(std::move(auditor)) {}

  void ReadPods();
  void SetSecretTargets(const CoverageReport& coverage);
  void KeepBooks(const HostView& view);
  AgentHealth Health() const;

  std::unique_ptr<HostAuditor> auditor_;
  std::optional<PolicyKeeper> keeper_;
  std::optional<BookKeeper> books_;
  std::unique_ptr<SecretWatch> secrets_;
  CoverageReader coverage_;
  BudgetTracker budgets_;
  std::shared_ptr<const PodTable> pods_ = std::make_shared<PodTable>();
  absl::Time pods_read_ = absl::InfinitePast();  // both by the steady clock
  absl::Time saved_ = absl::InfinitePast();
  std::string book_problem_;
  std::vector<std::string> notes_;
  std::vector<std::string> problems_;
  std::vector<HookReport> report_hooks_;
  DurationCounts scans_;
  absl::Time started_;
};

}  // namespace pagewarden
