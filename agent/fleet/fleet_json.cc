// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "agent/fleet/fleet_formats.h"

namespace pagewarden {
namespace {

using Json = nlohmann::ordered_json;

Json NumberOf(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (value == std::floor(value) && std::abs(value) < 1e15) return std::llround(value);
  return value;
}

Json ProblemJson(const FleetProblem& problem) {
  Json json = {{"problem", problem.kind}, {"severity", SeverityName(problem.severity)}};
  if (!problem.policy.empty()) json["policy"] = problem.policy;
  if (!problem.by_reason.empty()) {
    Json reasons = Json::object();
    for (const auto& [reason, count] : problem.by_reason) reasons[reason] = NumberOf(count);
    json["reasons"] = std::move(reasons);
  }
  for (const auto& [name, value] : problem.figures) json[name] = NumberOf(value);
  json["text"] = problem.text;
  json["next"] = problem.next;
  return json;
}

Json RowJson(const FleetReport& report, const FleetRow& row) {
  Json json = {{"host", report.hosts[row.host].name}};
  json["labels"] = Json::object();
  for (const auto& [name, value] : report.hosts[row.host].labels) json["labels"][name] = value;
  json["cgroup"] = row.cgroup.empty() ? Json() : Json(row.cgroup);
  if (!row.name_space.empty()) json["namespace"] = row.name_space;
  if (!row.pod.empty()) json["pod"] = row.pod;
  if (!row.container.empty()) json["container"] = row.container;
  json["problems"] = Json::array();
  for (const FleetProblem& problem : row.problems) json["problems"].push_back(ProblemJson(problem));
  return json;
}

Json RolloutJson(const FleetReport& report, const PolicyRollout& rollout) {
  Json versions = Json::array();
  for (const PolicyVersion& version : rollout.versions) {
    versions.push_back({{"hash", version.hash},
                        {"mode", version.mode},
                        {"version", version.version},
                        {"hosts", version.hosts},
                        {"current", version.current}});
  }
  Json behind = Json::array();
  for (const size_t host : rollout.behind) behind.push_back(report.hosts[host].name);
  return {{"policy", rollout.policy},
          {"currentHash", rollout.current_hash.empty() ? Json() : Json(rollout.current_hash)},
          {"rollingOut", rollout.moving},
          {"versions", std::move(versions)},
          {"behind", std::move(behind)}};
}

Json LimitJson(const UnitLimit& limit) {
  Json json = {{"unit", limit.unit}, {"limitMemlockBytes", limit.recommended_bytes}};
  json["peakBytes"] = limit.peak_bytes;
  if (limit.limit_known) {
    json["lowestLimitBytes"] = limit.lowest_limit_bytes ? Json(*limit.lowest_limit_bytes) : Json();
  }
  json["hosts"] = limit.hosts;
  json["highestHost"] = limit.highest_host;
  return json;
}

Json HostsJson(const FleetReport& report) {
  std::set<size_t> troubled;
  for (const FleetRow& row : report.rows) troubled.insert(row.host);
  const size_t up = std::count_if(report.hosts.begin(), report.hosts.end(),
                                  [](const FleetHost& host) { return host.up; });
  return {{"total", report.hosts.size()}, {"up", up}, {"needAttention", troubled.size()}};
}

}  // namespace

std::string FormatFleetJson(const FleetReport& report, const std::vector<UnitLimit>& limits,
                            const FleetJsonContext& context) {
  Json json = {{"schemaVersion", 1},
               {"server", context.server},
               {"time", context.time},
               {"matcher", context.options.matcher},
               {"partial", !context.warnings.empty()},
               {"warnings", context.warnings},
               {"hosts", HostsJson(report)},
               {"cgroups", report.cgroups}};
  json["attention"] = Json::array();
  for (const FleetRow& row : report.rows) json["attention"].push_back(RowJson(report, row));
  json["rollout"] = Json::array();
  for (const PolicyRollout& rollout : report.rollout) {
    json["rollout"].push_back(RolloutJson(report, rollout));
  }
  json["recommendations"] = Json::array();
  for (const UnitLimit& limit : limits) json["recommendations"].push_back(LimitJson(limit));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pagewarden
