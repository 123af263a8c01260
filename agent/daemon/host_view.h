// SPDX-License-Identifier: Apache-2.0
// All that the agent knows of its host at one moment. Made by the agent's loop once an
// interval, then never changed: servers of other threads share it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/audit/report.h"
#include "agent/coverage/coverage.h"
#include "agent/keeper/policy_status.h"
#include "agent/policy/budget.h"
#include "agent/policy/surroundings.h"
#include "agent/secrets/secret_report.h"
#include "agent/state/books.h"

namespace pagewarden {

// Durations of the audits since the agent's start, for a histogram.
struct DurationCounts {
  static constexpr double kBounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1};
  uint64_t counts[std::size(kBounds) + 1] = {};  // not cumulative; the last is above all bounds
  double sum_seconds = 0;
};

struct AgentHealth {
  absl::Time started;
  DurationCounts scans;
  std::map<std::string, uint64_t> scan_errors;  // by reason
  // Of the report's and the watch's hooks, per program: attached or not.
  std::map<std::string, bool> programs;
  std::map<std::string, uint64_t> events_lost;  // by source: a hook's question, "ring", …
};

struct HostView {
  absl::Time time;
  std::string host;
  AuditReport report;
  BudgetReport budgets;
  CoverageReport coverage;
  SecretReport secrets;
  PolicyStatus policies;
  Books books;
  AgentHealth health;
  std::shared_ptr<const PodTable> pods;  // null: not read
};

}  // namespace pagewarden
