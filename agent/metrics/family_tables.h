// SPDX-License-Identifier: Apache-2.0
// The parts of MetricFamilies(), in their order.
#pragma once

#include <vector>

#include "agent/metrics/families.h"

namespace pagewarden {

std::vector<MetricFamily> CgroupFamilies();
std::vector<MetricFamily> PolicyFamilies();
std::vector<MetricFamily> AgentFamilies();

}  // namespace pagewarden
