// SPDX-License-Identifier: Apache-2.0
// What is asked of Prometheus: one query a kind, however many hosts there are. The server
// filters, so that answers are as long as the list of problems. docs/fleet.md explains each.
//
// The thresholds and windows are those of the alert rules (deploy/prometheus), so that what
// is on the page is what calls somebody.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace pagewarden {

inline constexpr double kFleetLimitNear = 0.9;   // of the soft limit
inline constexpr double kFleetBudgetNear = 0.8;  // of the budget

enum class FleetTopic {
  kHosts,          // every target, and which of them speak our metrics
  kCgroups,        // how many
  kStalled,        // agents that answer but audit no longer
  kLimitNear,      // the fullest process of a cgroup
  kDenials,        // by reason
  kBudgets,        // used and limit, where near or over
  kRlimits,        // processes whose limit is above a budget's maxRlimit
  kUncovered,      // by policy and reason
  kSecrets,        // copies out of the fence
  kSecretErrors,   // secrets that cannot be checked
  kFallbacks,      // allocations left unlocked
  kCorruption,     // what the fence found
  kReloads,        // policies that are not in force
  kEventsLost,     // by source
  kPolicies,       // who has which hash
  kPolicySwitches  // hosts that changed to a hash, within some ages
};

struct FleetOptions {
  std::string matcher = "job=\"pagewarden\"";
  // In PromQL's form; overrides the windows of all kinds.
  std::optional<std::string> window;
};

struct FleetQuestion {
  FleetTopic topic;
  std::string promql;
};

std::vector<FleetQuestion> FleetQuestions(const FleetOptions& options);

// Recommended limits, peaks and lowest limits of the cgroups of services, over all hosts.
std::string LimitsQuestion(const FleetOptions& options);

// The windows that the questions use, for texts: "10m".
std::string DenialWindow(const FleetOptions& options);
std::string FallbackWindow(const FleetOptions& options);
std::string CorruptionWindow(const FleetOptions& options);
std::string EventsLostWindow(const FleetOptions& options);

// Ages at which switches of policies are counted, the smallest first. Switches within the
// first are a rollout that is still going on.
std::vector<std::string> SwitchAges(const FleetOptions& options);

// "90s", "10m", "1h30m": a duration above zero, as PromQL writes it.
bool IsPromDuration(const std::string& text);

}  // namespace pagewarden
