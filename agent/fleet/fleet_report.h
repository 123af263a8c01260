// SPDX-License-Identifier: Apache-2.0
// What in a fleet needs somebody's attention, and how far each policy is rolled out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/severity.h"
#include "agent/fleet/query_answer.h"
#include "agent/fleet/questions.h"

namespace pagewarden {

// One agent, as Prometheus names it.
struct FleetHost {
  std::string name;  // its `instance`; with what tells it apart, where several have the same
  std::vector<std::pair<std::string, std::string>> labels;  // of the target, by name
  bool up = true;
};

struct FleetProblem {
  // Stable words: "agentDown", "notAnAgent", "agentStalled", "limitNear", "denial", "budget",
  // "budgetNear", "rlimit", "uncovered", "secret", "secretCheck", "fallback", "corruption",
  // "reload", "policyBehind", "eventsLost".
  std::string kind;
  Severity severity = Severity::kWarning;
  std::string policy;                                   // empty: of none
  std::map<std::string, double> by_reason;              // counts; empty: the kind has no reasons
  std::vector<std::pair<std::string, double>> figures;  // names as in JSON; may be infinite
  std::string text;                                     // the numbers, printable
  std::string next;                                     // a command for the host
};

struct FleetRow {
  size_t host = 0;     // index into FleetReport::hosts
  std::string cgroup;  // empty: of the whole host
  std::string name_space;
  std::string pod;
  std::string container;
  std::vector<FleetProblem> problems;  // most severe first
};

struct PolicyVersion {
  std::string hash;
  std::string mode;
  std::string version;
  uint64_t hosts = 0;
  bool current = false;  // this hash is where the fleet is heading
};

struct PolicyRollout {
  std::string policy;
  std::vector<PolicyVersion> versions;  // with the most hosts first
  std::string current_hash;             // empty: two hashes, and no sign which is the new one
  bool moving = false;                  // hosts have switched within the smallest age
  std::vector<size_t> behind;           // hosts with another hash; empty without a current one
};

struct FleetReport {
  std::vector<FleetHost> hosts;
  uint64_t cgroups = 0;
  std::vector<FleetRow> rows;  // most severe first, then by host and cgroup
  std::vector<PolicyRollout> rollout;
  bool partial = false;  // the server could not tell all
};

using FleetAnswers = std::map<FleetTopic, std::vector<QuerySample>>;

// Topics without an answer are left out of the report.
FleetReport BuildFleetReport(const FleetAnswers& answers, const FleetOptions& options);

}  // namespace pagewarden
