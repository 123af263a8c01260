// SPDX-License-Identifier: Apache-2.0
#include "agent/explain/explain_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/audit/json_parts.h"
#include "agent/audit/text.h"
#include "agent/explain/budget_lines.h"
#include "agent/policy/effective_mode.h"

namespace pagewarden {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchemaVersion = 1;

std::string Summary(const RuleExplanation& rule) {
  std::string text = absl::StrCat(rule.Count(Effect::kBinds), " of ", rule.parts.size(), " bind");
  const size_t partly = rule.Count(Effect::kPartly);
  const size_t later = rule.Count(Effect::kAtRunTime);
  if (partly > 0) absl::StrAppend(&text, ", ", partly, " partly");
  if (later > 0) absl::StrAppend(&text, ", ", later, " known at run time");
  return text;
}

constexpr size_t kShownParts = 3;

// Parts of one fate.
struct Fate {
  const PartExplanation* first;
  std::vector<std::string> parts;
};

std::vector<Fate> GroupByFate(const RuleExplanation& rule) {
  std::vector<Fate> fates;
  for (const PartExplanation& part : rule.parts) {
    const auto same = std::find_if(fates.begin(), fates.end(), [&](const Fate& fate) {
      return fate.first->effect == part.effect && fate.first->why == part.why &&
             (fate.first->modules == part.modules || part.effect == Effect::kBinds);
    });
    (same == fates.end() ? fates.emplace_back(Fate{&part, {}}) : *same).parts.push_back(part.part);
  }
  return fates;
}

std::string Shortened(const std::vector<std::string>& parts) {
  if (parts.size() <= kShownParts) return absl::StrJoin(parts, ", ");
  return absl::StrCat(absl::StrJoin(parts.begin(), parts.begin() + kShownParts, ", "), ", and ",
                      parts.size() - kShownParts, " more");
}

void PrintFates(const RuleExplanation& rule, std::ostream& out) {
  for (const Fate& fate : GroupByFate(rule)) {
    out << "  " << EffectWord(fate.first->effect) << ": " << Printable(Shortened(fate.parts));
    if (!fate.first->why.empty()) out << " (" << Printable(fate.first->why) << ")";
    out << "\n";
  }
}

void PrintParts(const RuleExplanation& rule, std::ostream& out) {
  std::vector<std::vector<std::string>> cells = {{"  PART", "EFFECT", "MODULES", "WHY"}};
  for (const PartExplanation& part : rule.parts) {
    cells.push_back({absl::StrCat("  ", Printable(part.part)), EffectWord(part.effect),
                     part.modules.empty() ? "-" : Printable(absl::StrJoin(part.modules, ",")),
                     Printable(part.why)});
  }
  out << FormatTable({Align::kLeft, Align::kLeft, Align::kLeft, Align::kLeft}, cells);
}

void PrintRule(const RuleExplanation& rule, bool all, std::ostream& out) {
  out << "\n" << rule.name;
  if (rule.form != absl::StrCat("preset ", rule.name)) out << " (" << rule.form << ")";
  out << ": " << Summary(rule) << "\n";
  if (!rule.note.empty()) out << "  " << rule.note << "\n";
  if (all) {
    PrintParts(rule, out);
  } else {
    PrintFates(rule, out);
  }
}

Json PartJson(const PartExplanation& part) {
  return {{"part", Printable(part.part)},
          {"effect", EffectWord(part.effect)},
          {"modules", part.modules},
          {"why", part.why}};
}

Json RuleJson(const RuleExplanation& rule) {
  Json parts = Json::array();
  for (const PartExplanation& part : rule.parts) parts.push_back(PartJson(part));
  return {{"name", rule.name}, {"form", rule.form}, {"parts", parts}, {"note", rule.note}};
}

void PrintJudged(const CoveredProcess& coverage, std::ostream& out) {
  out << "  " << CoverageWord(coverage.state);
  if (coverage.reason.empty()) {
    out << ": the shim is active in it, in mode " << ModeWord(coverage.mode)
        << ", and all that is to be locked is\n";
    return;
  }
  out << " (" << coverage.reason << "): " << coverage.text << "\n";
  if (coverage.state != CoverageState::kUncovered) return;
  if (coverage.protections.empty()) {
    out << "  nothing else protects its memory\n";
  } else {
    out << "  what protects it all the same: " << absl::StrJoin(coverage.protections, ", ") << "\n";
  }
}

void PrintCoverage(const ExplainReport& report, std::ostream& out) {
  if (report.coverage) PrintJudged(*report.coverage, out);
  if (report.is_shipped) {
    out << "  no policy of this host selects it: audit and agent do not count it, only `run` uses "
           "the shipped ones\n";
  } else if (!report.coverage) {
    out << "  not to be fenced: "
        << (report.policy.empty() ? "no policy selects it" : "the policy is Disabled") << "\n";
  }
}

Json ExplainJson(const ExplainReport& report) {
  Json rules = Json::array();
  for (const RuleExplanation& rule : report.rules) rules.push_back(RuleJson(rule));
  return {{"schemaVersion", kSchemaVersion},
          {"executable", report.executable},
          {"pid", report.pid == 0 ? Json(nullptr) : Json(report.pid)},
          {"policy", report.policy},
          {"where", report.where},
          {"why", report.why},
          {"mode", report.mode},
          {"modeWhy", report.mode_why},
          {"cgroup", report.cgroup},
          {"coverage", report.coverage ? CoverageJson(*report.coverage) : Json(nullptr)},
          {"counted", report.coverage.has_value() && !report.is_shipped},
          {"passedOver", report.passed_over},
          {"budgets", BudgetsJson(report.budgets, report.pid != 0)},
          {"modules", report.modules},
          {"problems", report.problems},
          {"rules", rules}};
}

Json ReportsJson(const std::vector<ExplainReport>& reports) {
  Json list = Json::array();
  for (const ExplainReport& report : reports) list.push_back(ExplainJson(report));
  return {{"schemaVersion", kSchemaVersion}, {"reports", list}};
}

// Names of files need not be UTF-8.
void Print(const Json& json, std::ostream& out) {
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

}  // namespace

void PrintExplainTable(const ExplainReport& report, bool all, std::ostream& out) {
  out << Printable(report.executable);
  if (report.pid != 0) out << " (process " << report.pid << ")";
  out << ": ";
  if (report.policy.empty()) {
    out << "no policy, " << report.why << "\n";
  } else {
    out << "policy " << report.policy;
    if (!report.where.empty()) out << ", " << Printable(report.where);
    out << ": " << report.why << "\n";
  }
  if (!report.mode.empty()) {
    out << "  mode " << report.mode << (report.mode_why.empty() ? "" : ", ") << report.mode_why
        << "\n";
  }
  if (report.pid != 0) PrintCoverage(report, out);
  for (const std::string& other : report.passed_over) {
    out << "  passed over: " << Printable(other) << "\n";
  }
  PrintBudgets(report.budgets, report.pid != 0, out);
  out << report.modules.size() << (report.pid != 0 ? " modules mapped" : " modules at start")
      << "\n";
  for (const std::string& problem : report.problems) out << "  " << Printable(problem) << "\n";
  for (const RuleExplanation& rule : report.rules) PrintRule(rule, all, out);
}

void PrintExplainJson(const ExplainReport& report, std::ostream& out) {
  Print(ExplainJson(report), out);
}

void PrintExplainJson(const std::vector<ExplainReport>& reports, std::ostream& out) {
  Print(ReportsJson(reports), out);
}

}  // namespace pagewarden
