// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <string>
#include <utility>

#include "agent/metrics/collect.h"
#include "agent/metrics/revision.h"
#include "agent/policy/schema.h"

namespace pagewarden {
namespace {

double UnixSeconds(absl::Time time) { return absl::ToDoubleSeconds(time - absl::UnixEpoch()); }

}  // namespace

void AddSecretChecks(const SecretReport& secrets, Samples& samples) {
  if (secrets.checked != absl::InfinitePast()) {
    samples.Add(Metric::kSecretCheckTime, {}, UnixSeconds(secrets.checked));
  }
  std::map<std::pair<std::string, std::string>, double> errors;
  for (const SecretError& error : secrets.errors) ++errors[{error.policy, error.reason}];
  for (const auto& [labels, count] : errors) {
    samples.Add(Metric::kSecretCheckErrors, {labels.first, labels.second}, count);
  }
}

void AddPolicies(const PolicyStatus& policies, Samples& samples) {
  for (const LoadedPolicy& policy : policies.loaded) {
    samples.Add(Metric::kPolicyInfo, {policy.name, kApiVersion, policy.hash, policy.mode}, 1);
  }
  if (!policies.hash.empty()) samples.Add(Metric::kPolicySetInfo, {policies.hash}, 1);
  samples.Add(Metric::kReloadSuccessful, {}, policies.last_reload_ok ? 1 : 0);
  if (policies.last_success != absl::InfinitePast()) {
    samples.Add(Metric::kReloadSuccessTime, {}, UnixSeconds(policies.last_success));
  }
}

void AddBuild(Samples& samples) {
  samples.Add(Metric::kBuildInfo, {PAGEWARDEN_VERSION, PAGEWARDEN_REVISION}, 1);
}

void AddHealth(const AgentHealth& health, Samples& samples) {
  samples.AddHistogram(Metric::kScanDuration, health.scans);
  for (const auto& [reason, count] : health.scan_errors) {
    samples.Add(Metric::kScanErrors, {reason}, static_cast<double>(count));
  }
  for (const auto& [program, attached] : health.programs) {
    samples.Add(Metric::kProgramAttached, {program}, attached ? 1 : 0);
  }
  for (const auto& [source, count] : health.events_lost) {
    samples.Add(Metric::kEventsLost, {source}, static_cast<double>(count));
  }
}

}  // namespace pagewarden
