// SPDX-License-Identifier: Apache-2.0
#include "agent/explain/budget_lines.h"

#include <ostream>

#include "absl/strings/str_cat.h"
#include "agent/audit/limit_text.h"
#include "agent/audit/text.h"
#include "agent/policy/budget_schema.h"
#include "agent/policy/quantity.h"

namespace pagewarden {
namespace {

using Json = nlohmann::ordered_json;

std::string SourceText(const std::string& budget, const std::string& policy, const Position& at) {
  return absl::StrCat("budget ", budget, " of ", policy, ", ", at.ToString());
}

std::string Use(const BudgetSource& source, bool is_live) {
  if (!is_live) return "";
  std::string text =
      absl::StrCat(", ", HumanBytes(source.used_bytes), " locked in ", source.processes,
                   source.processes == 1 ? " process" : " processes");
  if (source.excepted > 0) absl::StrAppend(&text, ", ", source.excepted, " excepted");
  return absl::StrCat(text, ": ", LevelWord(source.level));
}

std::string Subject(const BudgetState& state, bool is_live) {
  if (!is_live && state.scope == BudgetScope::kProcess) return "each process";
  return absl::StrCat(ScopeWord(state.scope), " ", Printable(state.subject));
}

Json SourceJson(const BudgetSource& source, bool is_live) {
  Json json = {{"policy", source.policy},
               {"budget", source.budget},
               {"where", source.at.ToString()},
               {"limitBytes", source.limit_bytes},
               {"warnAtPercent", source.warn_at_percent}};
  if (!is_live) return json;
  json.update(Json{{"usedBytes", source.used_bytes},
                   {"processes", source.processes},
                   {"excepted", source.excepted},
                   {"level", LevelWord(source.level)}});
  return json;
}

}  // namespace

void PrintBudgets(const BudgetReport& report, bool is_live, std::ostream& out) {
  for (const BudgetState& state : report.states) {
    out << "  " << Subject(state, is_live) << ":\n";
    for (const BudgetSource& source : state.sources) {
      out << "    " << FormatQuantity(source.limit_bytes) << Use(source, is_live) << " ("
          << SourceText(source.budget, source.policy, source.at)
          << (&source == &state.sources[0] ? "; binds" : "") << ")\n";
    }
  }
  for (const RlimitBreach& breach : report.rlimits) {
    out << "  hard RLIMIT_MEMLOCK " << LimitText(breach.hard_limit) << " is above maxRlimit "
        << FormatQuantity(breach.max_bytes) << " ("
        << SourceText(breach.budget, breach.policy, breach.at) << ")\n";
  }
}

Json BudgetsJson(const BudgetReport& report, bool is_live) {
  Json states = Json::array();
  for (const BudgetState& state : report.states) {
    Json sources = Json::array();
    for (const BudgetSource& source : state.sources) sources.push_back(SourceJson(source, is_live));
    states.push_back({{"scope", ScopeWord(state.scope)},
                      {"subject", is_live ? Json(state.subject) : Json(Subject(state, false))},
                      {"level", is_live ? Json(LevelWord(state.level)) : Json(nullptr)},
                      {"sources", sources}});
  }
  Json rlimits = Json::array();
  for (const RlimitBreach& breach : report.rlimits) {
    rlimits.push_back(
        {{"pid", breach.pid},
         {"hardLimitBytes", breach.hard_limit ? Json(*breach.hard_limit) : Json(nullptr)},
         {"maxRlimitBytes", breach.max_bytes},
         {"policy", breach.policy},
         {"budget", breach.budget},
         {"where", breach.at.ToString()}});
  }
  return {{"limits", states}, {"rlimits", rlimits}};
}

}  // namespace pagewarden
