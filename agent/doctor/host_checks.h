// SPDX-License-Identifier: Apache-2.0
// What the doctor says of a host: exposure of memory that is not locked, and of all
// memory; and of its processes together.
#pragma once

#include <vector>

#include "agent/audit/snapshot.h"
#include "agent/doctor/finding.h"
#include "agent/doctor/host_facts.h"

namespace pagewarden {

std::vector<Finding> CheckHost(const HostFacts& facts);

// Limits of 0, none at all, drift, and shims that could not lock: a finding each with
// the processes it is true of.
std::vector<Finding> CheckProcesses(const std::vector<ProcessRow>& processes);

}  // namespace pagewarden
