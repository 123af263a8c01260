// SPDX-License-Identifier: Apache-2.0
// How far each policy is rolled out, and which hosts are behind.
//
// Hashes have no order. Where the fleet is heading is told by the hosts that switched: within
// the smallest age in which any did, the hash that most of them took. Where none switched, it is
// the hash of most hosts.
#pragma once

#include <vector>

#include "agent/fleet/fleet_report.h"
#include "agent/fleet/host_table.h"

namespace pagewarden {

// By policy. `ages`: SwitchAges(), as the samples of kPolicySwitches name them.
std::vector<PolicyRollout> RolloutOf(const std::vector<QuerySample>& policies,
                                     const std::vector<QuerySample>& switches,
                                     const std::vector<std::string>& ages, HostTable& hosts);

}  // namespace pagewarden
