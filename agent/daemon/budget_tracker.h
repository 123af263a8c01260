// SPDX-License-Identifier: Apache-2.0
// Budgets again and again: which of them fit is worked out once for all processes of one
// executable in one cgroup, and quiet processes are remembered.
//
//   BudgetTracker tracker;
//   for (;;) budgets = tracker.Evaluate(report, *reader, policies.set, pods, today);
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/civil_time.h"
#include "agent/audit/report.h"
#include "agent/audit/snapshot_reader.h"
#include "agent/policy/budget.h"
#include "agent/policy/surroundings.h"

namespace pagewarden {

// Not thread-safe.
class BudgetTracker {
 public:
  // As EvaluateBudgets of all processes, but of scope Process only those that lock anything.
  // `report` is of the reader's last snapshot. Every process has had a row in a report
  // before it was quiet. A quiet one that has ended counts for some rounds more.
  BudgetReport Evaluate(const AuditReport& report, const SnapshotReader& reader,
                        std::shared_ptr<const PolicySet> set, std::shared_ptr<const PodTable> pods,
                        absl::CivilDay today);

 private:
  // All processes of one executable in one cgroup.
  struct Group {
    Surroundings facts;
    std::vector<BudgetFit> fits;
    std::vector<std::vector<std::string>> subjects;  // of each fit, but of scope Process
    std::optional<uint64_t> max_rlimit;              // the lowest of the fits
    bool has_process_scope = false;
    size_t processes = 0;
    uint64_t locked_bytes = 0;
    uint64_t used_round = 0;
  };
  struct Known {
    Group* group = nullptr;
    uint64_t locked_bytes = 0;
    std::optional<uint64_t> hard_limit;
    uint64_t seen_round = 0;
  };

  void Refresh(std::shared_ptr<const PolicySet> set, std::shared_ptr<const PodTable> pods,
               absl::CivilDay today);
  void Fit(Group& group) const;
  Group* GroupOf(const ProcessRow& row);
  void Learn(const AuditReport& report);
  bool HasEnded(pid_t pid, const Known& known, const SnapshotReader& reader) const;
  void AddProcess(pid_t pid, const Known& known, BudgetSums& sums) const;
  void ForgetUnused();

  std::shared_ptr<const PolicySet> set_;
  std::shared_ptr<const PodTable> pods_;
  absl::CivilDay today_;
  uint64_t round_ = 0;
  std::map<std::pair<std::string, std::string>, Group> groups_;  // by executable and cgroup
  absl::flat_hash_map<pid_t, Known> known_;
};

}  // namespace pagewarden
