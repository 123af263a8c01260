// SPDX-License-Identifier: Apache-2.0
// All that a scrape says of one cgroup, put together from the parts of a HostView, and
// of several cgroups as one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/daemon/host_view.h"

namespace pagewarden {

inline constexpr char kOtherCgroups[] = "__other__";

struct BudgetFigures {
  uint64_t limit_bytes = 0;
  uint64_t used_bytes = 0;

  double Ratio() const;
};

struct CgroupFigures {
  std::string path;
  uint64_t id = 0;  // of its book; 0: none
  std::string kube_namespace;
  std::string pod;
  std::string container;

  bool has_processes = false;
  uint64_t locked_bytes = 0;
  uint64_t pinned_bytes = 0;
  std::optional<uint64_t> unevictable_bytes;
  bool unevictable_is_own = true;  // else with the cgroups below: cannot be summed up
  uint64_t peak_bytes = 0;
  std::optional<uint64_t> limit_min_bytes;  // nullopt: unlimited
  double usage_max_ratio = 0;
  uint64_t recommended_bytes = 0;
  uint64_t locking_processes = 0;

  std::map<std::string, BudgetFigures> budgets;                           // by policy
  std::map<std::string, uint64_t> rlimit_breaches;                        // by policy
  std::map<std::pair<std::string, std::string>, uint64_t> uncovered;      // by policy and reason
  std::map<std::pair<std::string, std::string>, uint64_t> secret_copies;  // by policy and fenced
  std::map<std::string, uint64_t> secret_pinned_copies;                   // by policy

  // Never go down while the cgroup is there.
  std::map<std::string, uint64_t> denials;  // by the label's words
  uint64_t oom_kills = 0;
};

// By path. Cgroups that are gone are there for `keep_gone` after they were last seen.
std::vector<CgroupFigures> FiguresOf(const HostView& view, absl::Duration keep_gone);

// Adds what can be added; of limits the tightest, of peaks, ratios and recommendations the
// highest, of budgets the one used up most. Counters are left alone: see FoldedCounts.
void Fold(const CgroupFigures& figures, CgroupFigures& into);

// Which of the words of memlock_denials_total a VerdictCode is; null: no refusal.
const char* DenialWord(const std::string& verdict_code);

}  // namespace pagewarden
