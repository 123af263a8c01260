// SPDX-License-Identifier: Apache-2.0
#include "agent/events/conditions.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/audit/limit_text.h"
#include "agent/audit/tables.h"
#include "agent/audit/text.h"

namespace pagewarden {
namespace {

constexpr double kNear = 0.9;
constexpr size_t kMaxPids = 16;

// Collects by key; the first one of a key stays, the pids of the others join it.
class Conditions {
 public:
  explicit Conditions(absl::Time now) : now_(now) {}

  // Null: there is one of that key.
  Event* Add(const char* type, const std::string& key) {
    const auto [it, is_new] = events_.try_emplace(absl::StrCat(type, " ", key));
    Event& event = it->second;
    current_ = &event;
    if (!is_new) return nullptr;
    event.time = now_;
    event.type = type;
    event.details["key"] = it->first;
    return &event;
  }

  // Of the event that was added, or found, last.
  void AddPid(pid_t pid) {
    nlohmann::json& details = current_->details;
    nlohmann::json& pids = details["pids"];
    details["processes"] = details.value("processes", 0) + 1;
    if (pids.size() < kMaxPids) pids.push_back(pid);
  }

  std::vector<Event> Take() {
    std::vector<Event> events;
    for (auto& [key, event] : events_) events.push_back(std::move(event));
    return events;
  }

 private:
  absl::Time now_;
  std::map<std::string, Event> events_;
  Event* current_ = nullptr;
};

void SetProcess(pid_t pid, const std::string& comm, const std::string& cgroup, Event& event) {
  event.pid = pid;
  event.comm = comm;
  event.cgroup = cgroup;
}

void AddLimitNear(const CgroupRow& cgroup, Conditions& conditions) {
  const ProcessRow* worst = nullptr;
  for (const ProcessRow& row : cgroup.processes) {
    if (row.cap_ipc_lock || UsageRatio(row) < kNear) continue;
    if (worst == nullptr || UsageRatio(row) > UsageRatio(*worst)) worst = &row;
  }
  if (worst == nullptr) return;
  Event& event = *conditions.Add("limitNear", cgroup.path);
  SetProcess(worst->pid, worst->comm, cgroup.path, event);
  event.severity = Severity::kWarning;
  event.text = absl::StrFormat("%s locks %s, %.0f%% of its limit of %s",
                               ProcessName(worst->comm, worst->pid),
                               BytesAndKib(worst->locked_bytes), 100 * UsageRatio(*worst),
                               SoftAndHard(worst->soft_limit_bytes, worst->hard_limit_bytes));
  event.details["lockedBytes"] = worst->locked_bytes;
  event.details["softLimitBytes"] = worst->soft_limit_bytes.value_or(0);
  event.details["recommendedLimitBytes"] = cgroup.own.recommendation.limit_bytes;
}

void AddViolations(const ProcessRow& row, Conditions& conditions) {
  if (!row.shim) return;
  for (size_t i = 0; i < row.shim->violations.size(); ++i) {
    const uint64_t count = row.shim->violations[i];
    if (count == 0) continue;
    // More of them are another event; a new process of the same number as well.
    Event& event = *conditions.Add("violation", absl::StrCat(row.pid, " ", row.start_time_ns, " ",
                                                             kViolationNames[i], " ", count));
    SetProcess(row.pid, row.comm, row.cgroup, event);
    event.policy = row.shim->policy;
    event.severity = Severity::kError;
    event.text = absl::StrCat("the fence of ", ProcessName(row.comm, row.pid),
                              " found its memory corrupted: ", kViolationNames[i], " ", count);
    event.details["violation"] = kViolationNames[i];
    event.details["count"] = count;
  }
}

void AddBudget(const BudgetState& state, const BudgetSource& source, Conditions& conditions) {
  if (source.level == BudgetLevel::kWithin) return;
  // Names are compared in full: paths have blanks as well.
  Event* const event =
      conditions.Add("budget", absl::StrCat(source.policy, "/", source.budget, " ",
                                            static_cast<int>(state.scope), " ", state.subject));
  if (event == nullptr) return;
  const bool over = source.level == BudgetLevel::kOver;
  if (absl::StartsWith(state.subject, "/")) event->cgroup = state.subject;
  event->policy = source.policy;
  event->severity = over ? Severity::kError : Severity::kWarning;
  event->text = absl::StrFormat("%s locks %s, %.0f%% of the %s of budget %s of %s",
                                Printable(state.subject), BytesAndKib(source.used_bytes),
                                100.0 * static_cast<double>(source.used_bytes) /
                                    static_cast<double>(std::max<uint64_t>(source.limit_bytes, 1)),
                                BytesAndKib(source.limit_bytes), source.budget, source.policy);
  event->details["level"] = LevelWord(source.level);
  event->details["budget"] = source.budget;
  event->details["subject"] = state.subject;
  event->details["usedBytes"] = source.used_bytes;
  event->details["limitBytes"] = source.limit_bytes;
  event->details["warnAtPercent"] = source.warn_at_percent;
  event->details["processes"] = source.processes;
}

void AddRlimit(const RlimitBreach& breach, Conditions& conditions) {
  Event* const event =
      conditions.Add("rlimit", absl::StrCat(breach.policy, "/", breach.budget, " ", breach.cgroup));
  if (event != nullptr) {
    SetProcess(breach.pid, "", breach.cgroup, *event);
    event->policy = breach.policy;
    event->severity = Severity::kWarning;
    event->text = absl::StrFormat(
        "%s[%d] may lock %s, more than the %s that budget %s of %s allows a process",
        Printable(breach.executable), breach.pid, LimitText(breach.hard_limit),
        BytesAndKib(breach.max_bytes), breach.budget, breach.policy);
    if (breach.hard_limit) event->details["hardLimitBytes"] = *breach.hard_limit;
    event->details["maxBytes"] = breach.max_bytes;
  }
  conditions.AddPid(breach.pid);
}

void AddUncovered(const CoveredProcess& process, Conditions& conditions) {
  if (process.state != CoverageState::kUncovered) return;
  Event* const event = conditions.Add(
      "uncovered",
      absl::StrCat(process.policy, " ", process.reason, " ", process.exe, " ", process.cgroup));
  if (event != nullptr) {
    SetProcess(process.pid, process.comm, process.cgroup, *event);
    event->policy = process.policy;
    const bool enforced = process.mode == abi::Mode::kEnforce;
    event->severity = enforced ? Severity::kError : Severity::kWarning;
    event->text = absl::StrCat("the secrets of ", ProcessName(process.comm, process.pid),
                               " are not fenced as policy ", process.policy,
                               " says: ", Printable(process.text));
    if (!process.protections.empty()) {
      absl::StrAppend(&event->text, "; what holds: ", absl::StrJoin(process.protections, ", "));
    }
    event->details["reason"] = process.reason;
    event->details["exe"] = process.exe;
    event->details["protections"] = process.protections;
  }
  conditions.AddPid(process.pid);
}

void AddCopies(const SecretCopies& copies, Conditions& conditions) {
  if (copies.unfenced == 0) return;
  Event* const event =
      conditions.Add("secret", absl::StrCat(copies.policy, " ", copies.file, " ", copies.cgroup));
  if (event != nullptr) {
    SetProcess(copies.pid, copies.comm, copies.cgroup, *event);
    event->policy = copies.policy;
    event->severity = Severity::kError;
    event->text = absl::StrFormat(
        "%s has %d unfenced copies of the secret %s: %s", ProcessName(copies.comm, copies.pid),
        copies.unfenced, Printable(copies.file), Printable(absl::StrJoin(copies.where, ", ")));
    event->details["file"] = copies.file;
    event->details["unfenced"] = copies.unfenced;
    event->details["fenced"] = copies.fenced;
    event->details["pinned"] = copies.pinned;
    event->details["where"] = copies.where;
  }
  conditions.AddPid(copies.pid);
}

void AddSecretError(const SecretError& error, Conditions& conditions) {
  Event* const event = conditions.Add(
      "secret", absl::StrCat(error.policy, " ", error.file, " cannot be checked: ", error.reason));
  if (event == nullptr) return;
  event->policy = error.policy;
  event->severity = Severity::kWarning;
  const std::string what =
      error.file.empty() ? "the secrets" : absl::StrCat("the secret ", Printable(error.file));
  event->text = absl::StrCat("the check of ", what, " of policy ", error.policy,
                             " is worth less: ", Printable(error.text));
  event->details["file"] = error.file;
  event->details["reason"] = error.reason;
}

}  // namespace

std::vector<Event> ConditionsOf(const HostView& view) {
  Conditions conditions(view.time);
  for (const CgroupRow& cgroup : view.report.cgroups) {
    AddLimitNear(cgroup, conditions);
    for (const ProcessRow& row : cgroup.processes) AddViolations(row, conditions);
  }
  for (const BudgetState& state : view.budgets.states) {
    for (const BudgetSource& source : state.sources) AddBudget(state, source, conditions);
  }
  for (const RlimitBreach& breach : view.budgets.rlimits) AddRlimit(breach, conditions);
  for (const CoveredProcess& process : view.coverage.processes) AddUncovered(process, conditions);
  for (const SecretCopies& copies : view.secrets.copies) AddCopies(copies, conditions);
  for (const SecretError& error : view.secrets.errors) AddSecretError(error, conditions);
  return conditions.Take();
}

bool CanTell(const HostView& view, const Event& event) {
  return event.type != "secret" || view.secrets.checked != absl::InfinitePast() ||
         view.secrets.nothing_to_check;
}

}  // namespace pagewarden
