// SPDX-License-Identifier: Apache-2.0
// What SystemCallFilter= says to the calls that lock memory (systemd.exec(5)).
#pragma once

#include <optional>
#include <vector>

#include "agent/doctor/filter_probe.h"
#include "agent/units/unit_file.h"

namespace pagewarden {

// nullopt: there is no filter. Sets are known as far as they hold these calls: @memlock,
// @system-service, @known.
std::optional<FilterProbe> FilterOfUnit(const std::vector<UnitSetting>& settings);

}  // namespace pagewarden
