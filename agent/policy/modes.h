// SPDX-License-Identifier: Apache-2.0
// The words for modes, for policies and for options of commands.
#pragma once

#include "agent/policy/fields.h"
#include "preload/abi/policy_image.h"

namespace pagewarden {

inline constexpr Word<abi::Mode> kModes[] = {{"Disabled", abi::Mode::kDisabled},
                                             {"Audit", abi::Mode::kAudit},
                                             {"Enforce", abi::Mode::kEnforce}};

}  // namespace pagewarden
