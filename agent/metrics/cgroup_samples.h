// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/metrics/cgroup_figures.h"
#include "agent/metrics/samples.h"

namespace pagewarden {

// Gauges of one cgroup, or of several folded into one.
void AddGauges(const CgroupFigures& figures, Samples& samples);

// Counters. Refusals by limit are there from the start, at 0: a series that begins at 1
// has no increase.
void AddCounters(const CgroupFigures& figures, Samples& samples);

}  // namespace pagewarden
