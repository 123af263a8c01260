// SPDX-License-Identifier: Apache-2.0
#include "agent/fleet/fleet_report.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "agent/audit/text.h"
#include "agent/fleet/attention.h"
#include "agent/fleet/host_table.h"
#include "agent/fleet/rollout.h"

namespace pagewarden {
namespace {

const std::vector<QuerySample>& AnswerTo(const FleetAnswers& answers, FleetTopic topic) {
  static const std::vector<QuerySample> none;
  const auto found = answers.find(topic);
  return found == answers.end() ? none : found->second;
}

FleetProblem Behind(const PolicyRollout& rollout) {
  uint64_t ahead = 0;
  for (const PolicyVersion& version : rollout.versions) {
    if (version.current) ahead += version.hosts;
  }
  FleetProblem problem;
  problem.kind = "policyBehind";
  problem.policy = rollout.policy;
  problem.text = absl::StrCat(Printable(rollout.policy), " is not the version ",
                              Printable(rollout.current_hash), " that ", ahead,
                              ahead == 1 ? " host has" : " hosts have");
  problem.next = "pagewarden policy diff";
  return problem;
}

// While hosts still switch, those behind are the rest of a rollout and no problem.
void AddBehind(const std::vector<PolicyRollout>& rollouts, Attention& attention) {
  for (const PolicyRollout& rollout : rollouts) {
    if (rollout.moving) continue;
    for (const size_t host : rollout.behind) attention.AddOfHost(host, Behind(rollout));
  }
}

void Sort(FleetReport& report) {
  std::sort(report.rows.begin(), report.rows.end(),
            [&report](const FleetRow& a, const FleetRow& b) {
              const Severity worst_a = a.problems.front().severity;
              const Severity worst_b = b.problems.front().severity;
              if (worst_a != worst_b) return worst_a > worst_b;
              return std::tie(report.hosts[a.host].name, a.cgroup) <
                     std::tie(report.hosts[b.host].name, b.cgroup);
            });
}

}  // namespace

FleetReport BuildFleetReport(const FleetAnswers& answers, const FleetOptions& options) {
  FleetReport report;
  HostTable hosts;
  Attention attention(answers, options, hosts);
  attention.AddAll();
  report.rollout =
      RolloutOf(AnswerTo(answers, FleetTopic::kPolicies),
                AnswerTo(answers, FleetTopic::kPolicySwitches), SwitchAges(options), hosts);
  AddBehind(report.rollout, attention);
  report.rows = std::move(attention).Finish();
  report.hosts = std::move(hosts).Finish();
  for (const QuerySample& sample : AnswerTo(answers, FleetTopic::kCgroups)) {
    if (sample.value > 0 && sample.value < 1e15) report.cgroups += std::llround(sample.value);
  }
  Sort(report);
  return report;
}

}  // namespace pagewarden
