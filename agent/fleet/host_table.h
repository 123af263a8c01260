// SPDX-License-Identifier: Apache-2.0
// Which host a sample is of: what is left of its labels without those of our own metrics.
// So hosts of two clusters are two, even where both are 10.0.0.1:9876.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "agent/fleet/fleet_report.h"

namespace pagewarden {

class HostTable {
 public:
  size_t IndexOf(const SampleLabels& labels);

  void MarkDown(size_t host) { hosts_[host].up = false; }

  // With their names.
  std::vector<FleetHost> Finish() &&;

 private:
  std::vector<FleetHost> hosts_;
  std::unordered_map<std::string, size_t> index_;
};

}  // namespace pagewarden
