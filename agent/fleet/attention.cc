// SPDX-License-Identifier: Apache-2.0
#include "agent/fleet/attention.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "absl/strings/str_cat.h"
#include "agent/audit/text.h"
#include "agent/fleet/problem_texts.h"

namespace pagewarden {
namespace {

constexpr char kRatio[] = "pagewarden_cgroup_memlock_usage_max_ratio";
constexpr char kLimit[] = "pagewarden_cgroup_memlock_limit_min_bytes";
constexpr char kLocked[] = "pagewarden_cgroup_locked_bytes";
constexpr char kBudget[] = "pagewarden_cgroup_budget_bytes";
constexpr char kBudgetUsed[] = "pagewarden_cgroup_budget_used_bytes";
constexpr double kTenYears = 10 * 365.25 * 86400;

double Total(const std::map<std::string, double>& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0.0,
                         [](double sum, const auto& pair) { return sum + pair.second; });
}

double ValueOr(const std::map<std::string, double>& values, const char* name, double otherwise) {
  const auto found = values.find(name);
  return found == values.end() ? otherwise : found->second;
}

std::string OfPolicy(const std::string& policy) {
  return policy.empty() ? "" : absl::StrCat(" of ", Printable(policy));
}

std::string Counted(double count, const char* one, const char* many) {
  const std::string number = FleetCount(count);
  return absl::StrCat(number, " ", number == "1" ? one : many);
}

FleetProblem ProblemOf(const char* kind, Severity severity, const std::string& policy,
                       std::string text, std::string next) {
  FleetProblem problem;
  problem.kind = kind;
  problem.severity = severity;
  problem.policy = policy;
  problem.text = std::move(text);
  problem.next = std::move(next);
  return problem;
}

}  // namespace

const std::vector<QuerySample>& Attention::Of(FleetTopic topic) const {
  static const std::vector<QuerySample> none;
  const auto found = answers_.find(topic);
  return found == answers_.end() ? none : found->second;
}

size_t Attention::RowOf(const SampleLabels& labels) {
  const size_t host = hosts_.IndexOf(labels);
  std::string cgroup(labels.Get("cgroup"));
  const auto [entry, added] = index_.emplace(RowKey{host, cgroup}, rows_.size());
  if (added) {
    // Of a metric without a cgroup, these are the agent's own pod.
    const auto of_cgroup = [&](absl::string_view name) {
      return cgroup.empty() ? "" : std::string(labels.Get(name));
    };
    FleetRow row{host, cgroup, of_cgroup("namespace"), of_cgroup("pod"), of_cgroup("container"),
                 {}};
    rows_.push_back(std::move(row));
  }
  return entry->second;
}

void Attention::AddOfHost(size_t host, FleetProblem problem) {
  const auto [entry, added] = index_.emplace(RowKey{host, ""}, rows_.size());
  if (added) rows_.emplace_back().host = host;
  Add(entry->second, std::move(problem));
}

Attention::Group Attention::GroupBy(FleetTopic topic, const char* reason_label) {
  Group result;
  for (const QuerySample& sample : Of(topic)) {
    const size_t row = RowOf(sample.labels);
    result[{row, std::string(sample.labels.Get("policy"))}]
          [std::string(sample.labels.Get(reason_label))] += sample.value;
  }
  return result;
}

void Attention::AddAll() {
  Hosts();
  Stalled();
  LimitNear();
  Denials();
  Budgets();
  Rlimits();
  Uncovered();
  Secrets();
  SecretErrors();
  Fallbacks();
  Corruption();
  Reloads();
  EventsLost();
}

void Attention::Hosts() {
  std::set<size_t> up, agents;
  for (const QuerySample& sample : Of(FleetTopic::kHosts)) {
    const size_t host = hosts_.IndexOf(sample.labels);
    if (sample.labels.Get("__name__") != "up") {
      agents.insert(host);
    } else if (sample.value > 0) {
      up.insert(host);
    } else {
      hosts_.MarkDown(host);
      AddOfHost(host, ProblemOf("agentDown", Severity::kWarning, "",
                                "no answer to the last scrape: nothing else is known of it",
                                "systemctl status pagewarden-agent.service"));
    }
  }
  for (const size_t host : up) {
    if (agents.count(host) != 0) continue;
    AddOfHost(host, ProblemOf("notAnAgent", Severity::kWarning, "",
                              "answers, but without pagewarden's metrics: see --matcher",
                              "systemctl status pagewarden-agent.service"));
  }
}

void Attention::Stalled() {
  for (const QuerySample& sample : Of(FleetTopic::kStalled)) {
    AddOfHost(hosts_.IndexOf(sample.labels),
              ProblemOf("agentStalled", Severity::kWarning, "",
                        "answers, but audits no longer: its figures are old",
                        "journalctl -u pagewarden-agent.service"));
  }
}

void Attention::LimitNear() {
  for (const auto& [key, values] : GroupByName(FleetTopic::kLimitNear)) {
    const double ratio = ValueOr(values, kRatio, 1);
    std::string text = absl::StrCat("a process uses ", FleetPercent(ratio), " of its limit");
    FleetProblem problem;
    problem.figures = {{"usageMaxRatio", ratio}};
    for (const auto& [metric, name, words] :
         {std::tuple{kLimit, "limitMinBytes", "; lowest limit "},
          std::tuple{kLocked, "lockedBytes", "; locked in all "}}) {
      const auto found = values.find(metric);
      if (found == values.end()) continue;
      problem.figures.emplace_back(name, found->second);
      absl::StrAppend(&text, words, FleetBytes(found->second));
    }
    problem.kind = "limitNear";
    problem.text = std::move(text);
    problem.next = DoctorCommand(CgroupOf(key.first));
    Add(key.first, std::move(problem));
  }
}

void Attention::Denials() {
  const std::string window = DenialWindow(options_);
  for (auto& [key, reasons] : GroupBy(FleetTopic::kDenials, "reason")) {
    const double total = Total(reasons);
    FleetProblem problem =
        ProblemOf("denial", Severity::kWarning, "",
                  absl::StrCat(Counted(total, "lock", "locks"), " refused in ", window, ": ",
                               ReasonCounts(reasons)),
                  absl::StrCat("pagewarden events --type denial --since ", window));
    problem.figures = {{"denials", total}};
    problem.by_reason = std::move(reasons);
    Add(key.first, std::move(problem));
  }
}

void Attention::Budgets() {
  for (const auto& [key, values] : GroupByName(FleetTopic::kBudgets)) {
    const double budget = ValueOr(values, kBudget, 0);
    const double used = ValueOr(values, kBudgetUsed, 0);
    const bool over = used > budget;
    FleetProblem problem = ProblemOf(
        over ? "budget" : "budgetNear", over ? Severity::kError : Severity::kInfo, key.second,
        absl::StrCat(FleetBytes(used), ", ", FleetPercent(used / budget), " of the budget ",
                     Printable(key.second), " of ", FleetBytes(budget)),
        AuditCommand(CgroupOf(key.first)));
    problem.figures = {{"usedBytes", used}, {"budgetBytes", budget}};
    Add(key.first, std::move(problem));
  }
}

void Attention::Rlimits() {
  for (const auto& [key, counts] : GroupBy(FleetTopic::kRlimits, "reason")) {
    const double total = Total(counts);
    FleetProblem problem =
        ProblemOf("rlimit", Severity::kWarning, key.second,
                  absl::StrCat(Counted(total, "process", "processes"),
                               " with a hard limit above maxRlimit", OfPolicy(key.second)),
                  AuditCommand(CgroupOf(key.first)));
    problem.figures = {{"processes", total}};
    Add(key.first, std::move(problem));
  }
}

void Attention::Uncovered() {
  for (auto& [key, reasons] : GroupBy(FleetTopic::kUncovered, "reason")) {
    const double total = Total(reasons);
    FleetProblem problem =
        ProblemOf("uncovered", Severity::kWarning, key.second,
                  absl::StrCat(Counted(total, "process", "processes"), OfPolicy(key.second),
                               " not fenced: ", ReasonCounts(reasons)),
                  DoctorCommand(CgroupOf(key.first)));
    problem.figures = {{"processes", total}};
    problem.by_reason = std::move(reasons);
    Add(key.first, std::move(problem));
  }
}

void Attention::Secrets() {
  for (const auto& [key, copies] : GroupBy(FleetTopic::kSecrets, "fenced")) {
    const double total = Total(copies);
    FleetProblem problem = ProblemOf("secret", Severity::kError, key.second,
                                     absl::StrCat(Counted(total, "copy", "copies"), " of secrets",
                                                  OfPolicy(key.second), " outside the fence"),
                                     "pagewarden events --type secret --since 1d");
    problem.figures = {{"copies", total}};
    Add(key.first, std::move(problem));
  }
}

void Attention::SecretErrors() {
  for (auto& [key, reasons] : GroupBy(FleetTopic::kSecretErrors, "reason")) {
    const double total = Total(reasons);
    FleetProblem problem =
        ProblemOf("secretCheck", Severity::kWarning, key.second,
                  absl::StrCat(Counted(total, "secret", "secrets"), OfPolicy(key.second),
                               " not checked: ", ReasonCounts(reasons)),
                  "pagewarden events --type secret --since 1d");
    problem.figures = {{"errors", total}};
    problem.by_reason = std::move(reasons);
    Add(key.first, std::move(problem));
  }
}

void Attention::Fallbacks() {
  const std::string window = FallbackWindow(options_);
  for (auto& [key, reasons] : GroupBy(FleetTopic::kFallbacks, "reason")) {
    const double total = Total(reasons);
    FleetProblem problem =
        ProblemOf("fallback", Severity::kError, key.second,
                  absl::StrCat(Counted(total, "allocation", "allocations"), OfPolicy(key.second),
                               " left unlocked in ", window, ": ", ReasonCounts(reasons)),
                  "pagewarden audit --by process");
    problem.figures = {{"allocations", total}};
    problem.by_reason = std::move(reasons);
    Add(key.first, std::move(problem));
  }
}

void Attention::Corruption() {
  const std::string window = CorruptionWindow(options_);
  for (auto& [key, reasons] : GroupBy(FleetTopic::kCorruption, "what")) {
    const double total = Total(reasons);
    FleetProblem problem =
        ProblemOf("corruption", Severity::kError, key.second,
                  absl::StrCat("memory corruption in a program", OfPolicy(key.second), ", ", window,
                               ": ", ReasonCounts(reasons)),
                  "pagewarden events --type violation --type guardHit --since 1d");
    problem.figures = {{"violations", total}};
    problem.by_reason = std::move(reasons);
    Add(key.first, std::move(problem));
  }
}

void Attention::Reloads() {
  for (const QuerySample& sample : Of(FleetTopic::kReloads)) {
    const bool known = sample.value > 0 && sample.value < kTenYears;
    const std::string since =
        known ? absl::StrCat("; the set in force is ", FleetAge(sample.value), " old") : "";
    FleetProblem problem =
        ProblemOf("reload", Severity::kWarning, "",
                  absl::StrCat("its policy files are wrong and not in force", since),
                  "pagewarden policy lint");
    if (known) problem.figures = {{"setAgeSeconds", sample.value}};
    AddOfHost(hosts_.IndexOf(sample.labels), std::move(problem));
  }
}

void Attention::EventsLost() {
  for (auto& [key, sources] : GroupBy(FleetTopic::kEventsLost, "source")) {
    const double total = Total(sources);
    FleetProblem problem =
        ProblemOf("eventsLost", Severity::kWarning, "",
                  absl::StrCat(Counted(total, "event", "events"), " lost in ",
                               EventsLostWindow(options_), ": ", ReasonCounts(sources)),
                  "pagewarden events --type lost --since 1h");
    problem.figures = {{"events", total}};
    problem.by_reason = std::move(sources);
    Add(key.first, std::move(problem));
  }
}

std::vector<FleetRow> Attention::Finish() && {
  rows_.erase(std::remove_if(rows_.begin(), rows_.end(),
                             [](const FleetRow& row) { return row.problems.empty(); }),
              rows_.end());
  for (FleetRow& row : rows_) {
    std::stable_sort(row.problems.begin(), row.problems.end(),
                     [](const auto& a, const auto& b) { return a.severity > b.severity; });
  }
  return std::move(rows_);
}

}  // namespace pagewarden
