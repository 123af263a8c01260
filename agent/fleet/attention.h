// SPDX-License-Identifier: Apache-2.0
// Turns answers into rows: one a host and cgroup, each with its problems.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "agent/fleet/fleet_report.h"
#include "agent/fleet/host_table.h"

namespace pagewarden {

class Attention {
 public:
  // Both must outlive it.
  Attention(const FleetAnswers& answers, const FleetOptions& options, HostTable& hosts)
      : answers_(answers), options_(options), hosts_(hosts) {}

  void AddAll();
  // Of a host as a whole.
  void AddOfHost(size_t host, FleetProblem problem);

  // Unsorted; their problems are sorted.
  std::vector<FleetRow> Finish() &&;

 private:
  using RowKey = std::pair<size_t, std::string>;  // host, cgroup
  // Row, policy: samples that differ only in their reason are one problem.
  using Group = std::map<std::pair<size_t, std::string>, std::map<std::string, double>>;

  const std::vector<QuerySample>& Of(FleetTopic topic) const;
  size_t RowOf(const SampleLabels& labels);
  Group GroupBy(FleetTopic topic, const char* reason_label);
  // Values by metric name, of the samples of a topic: by row and policy.
  Group GroupByName(FleetTopic topic) { return GroupBy(topic, "__name__"); }

  void Hosts();
  void Stalled();
  void LimitNear();
  void Denials();
  void Budgets();
  void Rlimits();
  void Uncovered();
  void Secrets();
  void SecretErrors();
  void Fallbacks();
  void Corruption();
  void Reloads();
  void EventsLost();

  void Add(size_t row, FleetProblem problem) { rows_[row].problems.push_back(std::move(problem)); }
  const std::string& CgroupOf(size_t row) const { return rows_[row].cgroup; }

  const FleetAnswers& answers_;
  const FleetOptions& options_;
  HostTable& hosts_;
  std::vector<FleetRow> rows_;
  std::map<RowKey, size_t> index_;
};

}  // namespace pagewarden
