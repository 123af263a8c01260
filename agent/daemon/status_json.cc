// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/status_json.h"

#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/audit/json_parts.h"
#include "agent/explain/budget_lines.h"
#include "agent/policy/effective_mode.h"

namespace pagewarden {
namespace {

using Json = OrderedJson;

Json TimeOrNull(absl::Time time) {
  return time == absl::InfinitePast() ? Json(nullptr) : Json(JsonTime(time));
}

Json LoadedJson(const std::vector<LoadedPolicy>& loaded) {
  Json list = Json::array();
  for (const LoadedPolicy& policy : loaded) {
    list.push_back({{"kind", policy.kind},
                    {"name", policy.name},
                    {"mode", policy.mode},
                    {"hash", policy.hash},
                    {"file", policy.path}});
  }
  return list;
}

Json ReloadJson(const AgentView& view) {
  const PolicyStatus& policies = view.host.policies;
  return {{"hash", policies.hash},
          {"generation", policies.generation},
          {"directories", view.agent.policy_dirs},
          {"loaded", LoadedJson(policies.loaded)},
          {"lastReload",
           {{"ok", policies.last_reload_ok},
            {"time", TimeOrNull(policies.last_attempt)},
            {"lastSuccess", TimeOrNull(policies.last_success)},
            {"errors", policies.errors},
            {"warnings", view.agent.policy_warnings}}}};
}

Json ProcessJson(const CoveredProcess& process) {
  return {{"pid", process.pid},
          {"comm", process.comm},
          {"exe", process.exe},
          {"cgroup", process.cgroup},
          {"policy", process.policy},
          {"mode", ModeWord(process.mode)},
          {"state", CoverageWord(process.state)},
          {"reason", process.reason.empty() ? Json(nullptr) : Json(process.reason)},
          {"text", process.text},
          {"protections", process.protections}};
}

Json CoverageJson(const CoverageReport& coverage) {
  std::map<CoverageState, size_t> counts;
  Json open = Json::array();
  for (const CoveredProcess& process : coverage.processes) {
    ++counts[process.state];
    if (process.state != CoverageState::kCovered) open.push_back(ProcessJson(process));
  }
  return {{"covered", counts[CoverageState::kCovered]},
          {"pending", counts[CoverageState::kPending]},
          {"uncovered", counts[CoverageState::kUncovered]},
          {"processes", open}};
}

Json SecretsJson(const SecretReport& secrets) {
  Json copies = Json::array();
  for (const SecretCopies& found : secrets.copies) {
    copies.push_back({{"policy", found.policy},
                      {"file", found.file},
                      {"pid", found.pid},
                      {"comm", found.comm},
                      {"cgroup", found.cgroup},
                      {"fenced", found.fenced},
                      {"unfenced", found.unfenced},
                      {"pinned", found.pinned},
                      {"where", found.where}});
  }
  Json errors = Json::array();
  for (const SecretError& error : secrets.errors) {
    errors.push_back({{"policy", error.policy},
                      {"file", error.file},
                      {"reason", error.reason},
                      {"text", error.text}});
  }
  return {{"checked", TimeOrNull(secrets.checked)},
          {"tookSeconds", absl::ToDoubleSeconds(secrets.took)},
          {"copies", copies},
          {"errors", errors}};
}

Json HealthJson(const AgentHealth& health) {
  uint64_t scans = 0;
  for (const uint64_t count : health.scans.counts) scans += count;
  return {{"audits", scans},
          {"auditSeconds", health.scans.sum_seconds},
          {"auditErrors", health.scan_errors},
          {"programs", health.programs},
          {"eventsLost", health.events_lost}};
}

Json PrivilegesJson(const AgentPrivileges& privileges) {
  Json missing = Json::array();
  for (const std::string& name : privileges.missing) {
    missing.push_back({{"capability", name}, {"lost", LossWithout(name)}});
  }
  return {{"kept", privileges.kept},
          {"missing", missing},
          {"noNewPrivileges", privileges.no_new_privileges},
          {"boundingSetReduced", privileges.bounded}};
}

Json AgentJson(const AgentView& view) {
  const AgentFacts& agent = view.agent;
  return {{"pid", agent.pid},
          {"version", PAGEWARDEN_VERSION},
          {"started", JsonTime(view.host.health.started)},
          {"intervalSeconds", absl::ToDoubleSeconds(agent.interval)},
          {"cgroup", agent.cgroup.empty() ? Json(nullptr) : Json(agent.cgroup)},
          {"privileges", PrivilegesJson(agent.privileges)},
          {"lastEvent", agent.last_event},
          {"health", HealthJson(view.host.health)}};
}

Json SourceFileJson(const Source& source, const std::string& presets) {
  return {{"path", source.name()},
          {"shipped", absl::StartsWith(source.name(), absl::StrCat(presets, "/"))},
          {"text", source.text()}};
}

template <typename Documents>
void AddSources(const Documents& documents, std::set<const Source*>& seen,
                const std::string& presets, Json& files) {
  for (const auto& document : documents) {
    const Source* const source = document.at.source.get();
    if (source == nullptr || !seen.insert(source).second) continue;
    files.push_back(SourceFileJson(*source, presets));
  }
}

std::string Dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string StatusJson(const AgentView& view) {
  return Dump({{"schemaVersion", 1},
               {"host", view.host.host},
               {"time", JsonTime(view.host.time)},
               {"agent", AgentJson(view)},
               {"policies", ReloadJson(view)},
               {"coverage", CoverageJson(view.host.coverage)},
               {"budgets", BudgetsJson(view.host.budgets, /*is_live=*/true)},
               {"secrets", SecretsJson(view.host.secrets)},
               {"source", view.host.report.source},
               {"hooks", HooksJson(view.agent.hooks)},
               {"gaps", view.agent.gaps}});
}

std::string PoliciesJson(const AgentView& view) {
  const PolicyStatus& policies = view.host.policies;
  std::set<const Source*> seen;
  Json files = Json::array();
  AddSources(policies.set->presets, seen, view.agent.presets, files);
  AddSources(policies.set->policies, seen, view.agent.presets, files);
  AddSources(policies.set->budgets, seen, view.agent.presets, files);
  return Dump({{"schemaVersion", 1},
               {"hash", policies.hash},
               {"loaded", LoadedJson(policies.loaded)},
               {"files", files}});
}

}  // namespace pagewarden
