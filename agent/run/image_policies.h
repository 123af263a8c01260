// SPDX-License-Identifier: Apache-2.0
// Policies as an image can hold them. The shim decides by executable alone, so all else
// is decided before: cgroups, pods, exceptions, rollout.
#pragma once

#include <vector>

#include "agent/policy/model.h"
#include "agent/policy/select.h"

namespace pagewarden {

// Of the policy that keeps the shim out of an executable that others leave out.
inline constexpr char kExceptedPolicyName[] = "excepted";

// Those that may apply in these surroundings, so that among them the first by
// ComesBefore whose matchBinaries fit is what SelectPolicy would choose.
std::vector<AllocationPolicy> ForImage(const std::vector<AllocationPolicy>& policies,
                                       const Surroundings& surroundings, const HostIdentity& host);

}  // namespace pagewarden
