// SPDX-License-Identifier: Apache-2.0
// Whether a selected process is covered, as a pure function of what was read of it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "agent/coverage/coverage.h"
#include "agent/coverage/launch_facts.h"
#include "agent/policy/model.h"
#include "agent/shim/shim_state.h"

namespace pagewarden {

struct Assessment {
  CoverageState state = CoverageState::kCovered;
  std::string reason;  // a word of agent/coverage/reasons.h; empty: covered
  std::string detail;  // more exact than the reason's meaning, a clause as it; may be empty
};

// With the shim in it. `newest`: generation of the live image it should follow; 0: unknown.
Assessment AssessShim(const ShimState& shim, const AllocationPolicy& policy, uint32_t newest);

// A process this young may still be between fork and exec, or in its loader.
inline constexpr absl::Duration kStartTakes = absl::Seconds(2);

// Without. `since`: when the policy came into force.
Assessment AssessWithoutShim(const LaunchFacts& facts, absl::Time started, absl::Time since,
                             absl::Time now);

}  // namespace pagewarden
