// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/budget.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/cgroup/classify.h"
#include "agent/policy/select.h"

namespace pagewarden {
namespace {

bool EndsWithAny(absl::string_view name, const std::vector<absl::string_view>& suffixes) {
  return std::any_of(suffixes.begin(), suffixes.end(), [&](absl::string_view suffix) {
    return absl::EndsWith(name, suffix) && name.size() > suffix.size();
  });
}

// The paths on the way to `cgroup` that end in such a name: all that match a pattern, or
// without patterns the innermost.
std::vector<std::string> PathsTo(const std::string& cgroup,
                                 const std::vector<absl::string_view>& suffixes,
                                 const std::vector<std::string>& patterns) {
  std::vector<std::string> paths;
  for (size_t start = 1; start < cgroup.size();) {
    const size_t end = std::min(cgroup.find('/', start), cgroup.size());
    const std::string name = cgroup.substr(start, end - start);
    if (EndsWithAny(name, suffixes) && (patterns.empty() || MatchesAny(patterns, name)))
      paths.push_back(cgroup.substr(0, end));
    start = end + 1;
  }
  if (patterns.empty() && paths.size() > 1) paths.erase(paths.begin(), paths.end() - 1);
  return paths;
}

std::vector<std::string> IfAny(std::string subject) {
  if (subject.empty()) return {};
  return {std::move(subject)};
}

// Without overflow: both factors may be large.
BudgetLevel LevelOf(const BudgetSource& source) {
  if (source.used_bytes > source.limit_bytes) return BudgetLevel::kOver;
  const auto percent = static_cast<unsigned __int128>(source.limit_bytes) *
                       static_cast<uint32_t>(source.warn_at_percent);
  const bool near =
      source.used_bytes > 0 && static_cast<unsigned __int128>(source.used_bytes) * 100 >= percent;
  return near ? BudgetLevel::kNear : BudgetLevel::kWithin;
}

BudgetSource NewSource(const BudgetFit& fit) {
  BudgetSource source;
  source.policy = fit.document->metadata.name;
  source.budget = fit.budget->name;
  source.at = fit.budget->at;
  source.limit_bytes = fit.budget->limit_bytes.value_or(0);
  source.warn_at_percent = fit.budget->warn_at_percent.value_or(kDefaultWarnAtPercent);
  return source;
}

}  // namespace

std::vector<std::string> SubjectsOf(const Budget& budget, const LockingProcess& process) {
  const std::string cgroup = process.facts.cgroup.value_or("");
  switch (budget.scope) {
    case BudgetScope::kSlice:
      return PathsTo(cgroup, {".slice"}, budget.selector.match_slices);
    case BudgetScope::kService:
      return PathsTo(cgroup, {".service", ".scope"}, budget.selector.match_units);
    case BudgetScope::kNamespace:
      return IfAny(process.facts.pod.has_value() ? process.facts.pod->kube_namespace : "");
    case BudgetScope::kPod:
      return IfAny(ClassifyCgroup(cgroup).pod);
    case BudgetScope::kContainer:
      return IfAny(ClassifyCgroup(cgroup).container);
    case BudgetScope::kProcess:
      return {absl::StrCat(process.pid)};
  }
  return {};
}

std::vector<BudgetFit> BudgetsFor(const std::vector<MemlockBudget>& documents,
                                  const Surroundings& facts, absl::CivilDay today) {
  std::vector<BudgetFit> fits;
  for (const MemlockBudget& document : documents) {
    if (document.spec.mode == abi::Mode::kDisabled) continue;
    for (const Budget& budget : document.spec.budgets) {
      if (!Fits(budget.selector, facts).fits) continue;
      const bool excepted = FindException(budget.exceptions, facts, today) != nullptr;
      fits.push_back({&document, &budget, excepted});
    }
  }
  return fits;
}

void BudgetSums::Add(const BudgetFit& fit, const std::string& subject, size_t processes,
                     uint64_t locked_bytes) {
  if (!fit.budget->limit_bytes.has_value()) return;
  const BudgetKey budget = {fit.document, fit.budget};
  const auto [found, is_new] = sources_.try_emplace({budget, subject});
  BudgetSource& source = found->second;
  if (is_new) source = NewSource(fit);
  if (fit.excepted) {
    source.excepted += processes;
  } else {
    source.processes += processes;
    source.used_bytes += locked_bytes;
  }
}

void BudgetSums::CheckRlimit(const BudgetFit& fit, const LockingProcess& process) {
  const std::optional<uint64_t> max = fit.budget->max_rlimit_bytes;
  if (fit.excepted || !max.has_value() || !process.limits.has_value()) return;
  const std::optional<uint64_t> hard = process.limits->hard;
  if (hard.has_value() && *hard <= *max) return;
  const auto [found, is_new] = rlimits_.try_emplace(process.pid);
  if (!is_new && found->second.max_bytes <= *max) return;
  found->second = {process.pid,
                   process.facts.executable,
                   process.facts.cgroup.value_or(""),
                   hard,
                   *max,
                   fit.document->metadata.name,
                   fit.budget->name,
                   fit.budget->at};
}

BudgetReport BudgetSums::Finish() && {
  std::map<std::pair<BudgetScope, std::string>, BudgetState> states;
  for (auto& [key, source] : sources_) {
    const auto& [budget, subject] = key;
    source.level = LevelOf(source);
    BudgetState& state = states[{budget.second->scope, subject}];
    state.scope = budget.second->scope;
    state.subject = subject;
    state.level = std::max(state.level, source.level);
    state.sources.push_back(std::move(source));
  }
  BudgetReport report;
  for (auto& [key, state] : states) {
    std::stable_sort(
        state.sources.begin(), state.sources.end(),
        [](const BudgetSource& a, const BudgetSource& b) { return a.limit_bytes < b.limit_bytes; });
    report.states.push_back(std::move(state));
  }
  for (auto& [pid, breach] : rlimits_) report.rlimits.push_back(std::move(breach));
  return report;
}

BudgetReport EvaluateBudgets(const std::vector<MemlockBudget>& documents,
                             const std::vector<LockingProcess>& processes, absl::CivilDay today) {
  BudgetSums sums;
  for (const LockingProcess& process : processes) {
    for (const BudgetFit& fit : BudgetsFor(documents, process.facts, today)) {
      sums.CheckRlimit(fit, process);
      for (const std::string& subject : SubjectsOf(*fit.budget, process)) {
        sums.Add(fit, subject, 1, process.locked_bytes);
      }
    }
  }
  return std::move(sums).Finish();
}

const char* LevelWord(BudgetLevel level) {
  switch (level) {
    case BudgetLevel::kWithin:
      return "within";
    case BudgetLevel::kNear:
      return "near";
    case BudgetLevel::kOver:
      return "over";
  }
  return "";
}

}  // namespace pagewarden
