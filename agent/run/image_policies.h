// SPDX-License-Identifier: Apache-2.0
// Policies as an image can hold them. The shim sees its program and its cgroup; all else
// is decided before: pods, expired exceptions, rollout.
#pragma once

#include <vector>

#include "agent/policy/model.h"
#include "agent/policy/select.h"

namespace pagewarden {

// Those that may apply in these surroundings, without what is decided by them. Where the
// cgroup is not known, what asks for it is left to the shim, and nothing is said of pods:
// policies that ask for one are left out, exceptions that do so do not hold.
std::vector<AllocationPolicy> ForImage(const std::vector<AllocationPolicy>& policies,
                                       const Surroundings& surroundings, const HostIdentity& host);

}  // namespace pagewarden
