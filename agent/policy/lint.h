// SPDX-License-Identifier: Apache-2.0
// What is accepted in policies, and is probably not meant.
#pragma once

#include "absl/time/civil_time.h"
#include "agent/policy/model.h"

namespace pagewarden {

// RLIMIT_MEMLOCK where nobody set it: of the kernel since 5.16, and of systemd.
inline constexpr uint64_t kDefaultMemlockBytes = 8 << 20;

// Adds warnings about a resolved set that has no errors.
void LintPolicies(const PolicySet& set, absl::CivilDay today, Diagnostics& diagnostics);

}  // namespace pagewarden
