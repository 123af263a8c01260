// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/cgroup_figures.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "agent/cgroup/classify.h"

namespace pagewarden {
namespace {

using FiguresByPath = std::map<std::string, CgroupFigures>;

void AddRow(const CgroupRow& row, CgroupFigures& figures) {
  const CgroupSums& own = row.own;
  figures.has_processes = own.processes > 0;
  figures.locked_bytes = own.locked_bytes;
  figures.pinned_bytes = own.pinned_bytes;
  figures.unevictable_is_own = own.unevictable_bytes.has_value();
  figures.unevictable_bytes =
      own.unevictable_bytes ? own.unevictable_bytes : row.subtree.unevictable_bytes;
  figures.peak_bytes = std::max(own.peak.bytes, own.locked_bytes);
  figures.limit_min_bytes = own.limit_min_bytes;
  figures.usage_max_ratio = own.usage_max_ratio;
  figures.recommended_bytes = own.recommendation.limit_bytes;
  for (const ProcessRow& process : row.processes) {
    if (process.locked_bytes > 0) ++figures.locking_processes;
  }
}

void AddBook(const CgroupBook& book, CgroupFigures& figures) {
  figures.id = book.cgroup_id;
  figures.peak_bytes = std::max(figures.peak_bytes, book.peak_locked_bytes);
  figures.oom_kills = book.oom_kills;
  for (const auto& [code, count] : book.denials) {
    if (const char* word = DenialWord(code)) figures.denials[word] += count;
  }
}

void TakeFuller(const BudgetFigures& one, BudgetFigures& fullest) {
  if (fullest.limit_bytes == 0 || one.Ratio() > fullest.Ratio()) fullest = one;
}

// The cgroups that budgets' subjects are, for a label.
class SubjectPaths {
 public:
  explicit SubjectPaths(const AuditReport& report) {
    // Each parent comes before its children, so that the outermost stays.
    for (const CgroupRow& row : report.cgroups) {
      paths_.try_emplace({BudgetScope::kPod, row.identity.pod}, row.path);
      paths_.try_emplace({BudgetScope::kContainer, row.identity.container}, row.path);
      for (const ProcessRow& process : row.processes) {
        paths_.try_emplace({BudgetScope::kProcess, absl::StrCat(process.pid)}, row.path);
      }
    }
  }

  // Empty: it is no cgroup.
  std::string Find(const BudgetState& state) const {
    if (state.scope == BudgetScope::kSlice || state.scope == BudgetScope::kService) {
      return state.subject;
    }
    const auto found = paths_.find({state.scope, state.subject});
    return found == paths_.end() ? "" : found->second;
  }

 private:
  std::map<std::pair<BudgetScope, std::string>, std::string> paths_;
};

void AddBudgets(const HostView& view, FiguresByPath& cgroups) {
  if (view.budgets.states.empty() && view.budgets.rlimits.empty()) return;
  const SubjectPaths paths(view.report);
  for (const BudgetState& state : view.budgets.states) {
    const std::string path = paths.Find(state);
    if (path.empty()) continue;
    for (const BudgetSource& source : state.sources) {
      TakeFuller({source.limit_bytes, source.used_bytes}, cgroups[path].budgets[source.policy]);
    }
  }
  for (const RlimitBreach& breach : view.budgets.rlimits) {
    ++cgroups[breach.cgroup].rlimit_breaches[breach.policy];
  }
}

void AddCoverage(const CoverageReport& coverage, FiguresByPath& cgroups) {
  for (const CoveredProcess& process : coverage.processes) {
    if (process.state != CoverageState::kUncovered) continue;
    ++cgroups[process.cgroup].uncovered[{process.policy, process.reason}];
  }
}

void AddSecrets(const SecretReport& secrets, FiguresByPath& cgroups) {
  for (const SecretCopies& copies : secrets.copies) {
    CgroupFigures& figures = cgroups[copies.cgroup];
    figures.secret_copies[{copies.policy, "true"}] += copies.fenced;
    figures.secret_copies[{copies.policy, "false"}] += copies.unfenced;
    figures.secret_pinned_copies[copies.policy] += copies.pinned;
  }
}

void AddNames(const std::string& path, const PodTable* pods, CgroupFigures& figures) {
  figures.path = path;
  const CgroupIdentity identity = ClassifyCgroup(path);
  figures.container = identity.container;
  figures.pod = identity.pod;
  const PodFacts* const facts = pods == nullptr ? nullptr : pods->Find(identity.pod);
  if (facts == nullptr) return;
  figures.kube_namespace = facts->kube_namespace;
  figures.pod = facts->name;
}

template <typename Map>
void AddCounts(const Map& counts, Map& to) {
  for (const auto& [key, count] : counts) to[key] += count;
}

void FoldLimit(const CgroupFigures& figures, CgroupFigures& into) {
  if (!figures.has_processes) return;
  into.has_processes = true;
  if (!figures.limit_min_bytes) return;
  into.limit_min_bytes =
      std::min(into.limit_min_bytes.value_or(UINT64_MAX), *figures.limit_min_bytes);
}

}  // namespace

double BudgetFigures::Ratio() const {
  return static_cast<double>(used_bytes) / static_cast<double>(std::max<uint64_t>(limit_bytes, 1));
}

std::vector<CgroupFigures> FiguresOf(const HostView& view, absl::Duration keep_gone) {
  FiguresByPath cgroups;
  for (const CgroupRow& row : view.report.cgroups) AddRow(row, cgroups[row.path]);
  for (const auto& [path, book] : view.books.cgroups) {
    const auto found = cgroups.find(path);
    if (found != cgroups.end()) {
      AddBook(book, found->second);
    } else if (view.time - book.last_seen <= keep_gone) {
      AddBook(book, cgroups[path]);
    }
  }
  AddBudgets(view, cgroups);
  AddCoverage(view.coverage, cgroups);
  AddSecrets(view.secrets, cgroups);
  std::vector<CgroupFigures> result;
  for (auto& [path, figures] : cgroups) {
    AddNames(path, view.pods.get(), figures);
    result.push_back(std::move(figures));
  }
  return result;
}

void Fold(const CgroupFigures& figures, CgroupFigures& into) {
  into.locked_bytes += figures.locked_bytes;
  into.pinned_bytes += figures.pinned_bytes;
  into.locking_processes += figures.locking_processes;
  if (figures.unevictable_bytes && figures.unevictable_is_own) {
    into.unevictable_bytes = into.unevictable_bytes.value_or(0) + *figures.unevictable_bytes;
  }
  FoldLimit(figures, into);
  into.peak_bytes = std::max(into.peak_bytes, figures.peak_bytes);
  into.usage_max_ratio = std::max(into.usage_max_ratio, figures.usage_max_ratio);
  into.recommended_bytes = std::max(into.recommended_bytes, figures.recommended_bytes);
  for (const auto& [policy, budget] : figures.budgets) TakeFuller(budget, into.budgets[policy]);
  AddCounts(figures.rlimit_breaches, into.rlimit_breaches);
  AddCounts(figures.uncovered, into.uncovered);
  AddCounts(figures.secret_copies, into.secret_copies);
  AddCounts(figures.secret_pinned_copies, into.secret_pinned_copies);
}

const char* DenialWord(const std::string& verdict_code) {
  static const auto* const words = new std::map<absl::string_view, const char*>{
      {"LIMIT_ZERO", "rlimit_zero"},
      {"SECCOMP", "seccomp"},
      {"PERF_BUDGET", "rlimit"},
      {"BPF_UID_BUDGET", "rlimit"},
      {"OVER_LIMIT", "rlimit"},
      {"OVER_LIMIT_VSZ", "rlimit"},
      {"HUGETLB_LEN", "rlimit"},
      {"UID_BUDGET", "rlimit"},
      {"PIN_BUDGET", "rlimit"},
      {"FUTURE_OVER_LIMIT", "rlimit"},
      {"STACK_OVER_LIMIT", "rlimit"},
      {"SECRET_UID_BUDGET", "rlimit"},
      {"HOLE", "range"},
      {"UNPOPULATABLE", "range"},
      {"NO_MEMORY", "populate"},
      {"VMA_LIMIT", "map_count"},
      {"PRIVILEGED_BYPASS", nullptr},
      {"NONE", nullptr},
  };
  const auto found = words->find(absl::string_view(verdict_code).substr(0, verdict_code.find('.')));
  return found == words->end() ? "other" : found->second;
}

}  // namespace pagewarden
