// SPDX-License-Identifier: Apache-2.0
// The report for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "agent/fleet/fleet_report.h"
#include "agent/fleet/unit_limits.h"

namespace pagewarden {

// `most_rows`: problems shown; how many are left out is said. 0: all.
std::string FormatFleetTable(const FleetReport& report, size_t most_rows);

// What LimitMEMLOCK each service needs; empty where nothing is known.
std::string FormatUnitLimits(const std::vector<UnitLimit>& limits);

struct FleetJsonContext {
  std::string server;
  double time = 0;
  FleetOptions options;
  std::vector<std::string> warnings;
};

// With schemaVersion; infinite figures are null.
std::string FormatFleetJson(const FleetReport& report, const std::vector<UnitLimit>& limits,
                            const FleetJsonContext& context);

}  // namespace pagewarden
