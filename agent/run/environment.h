// SPDX-License-Identifier: Apache-2.0
// The environment that brings the shim into a program.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/policy/publish.h"

namespace pagewarden {

// `current` ("NAME=value" strings) with the scope library, if there is one, and
// the shim in front of any LD_PRELOAD, LD_BIND_NOW=1 (lazy binding spills registers
// that hold keys onto the stack) and PAGEWARDEN_IMAGE. The rest stays as it is, in
// order. Last, the variables of the policy, in place of those of the same name.
std::vector<std::string> ShimEnvironment(const std::vector<std::string>& current,
                                         const PublishedPolicy& published,
                                         const std::string& shim_path,
                                         const std::map<std::string, std::string>& of_policy);

}  // namespace pagewarden
