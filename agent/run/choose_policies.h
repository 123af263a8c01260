// SPDX-License-Identifier: Apache-2.0
// Which policies a run uses.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/policy/model.h"
#include "agent/run/program.h"

namespace pagewarden {

// Of the policy that applies all shipped presets to every executable.
inline constexpr char kBuiltInPolicyName[] = "default-presets";

struct PolicyChoice {
  std::vector<std::string> paths;         // files or directories; may be empty
  std::optional<abi::Mode> highest_mode;  // lowers the mode of every policy
};

// With paths: all policies in them. Without: the shipped policy that selects the
// program, else one that applies all shipped presets to every executable. The
// shipped presets are always there to refer to. Paths of binaries that are links
// are joined by what they lead to, since that is what a process shows.
// Empty when there are errors, which go to `diagnostics`.
std::vector<AllocationPolicy> ChoosePolicies(const PolicyChoice& choice, const Program& program,
                                             const std::string& shipped_policies,
                                             Diagnostics& diagnostics);

// The same, with the presets.
PolicySet ChoosePolicySet(const PolicyChoice& choice, const Program& program,
                          const std::string& shipped_policies, Diagnostics& diagnostics);

// The policy that applies to `executable`: of those that select it, the one of
// highest priority, then by name. Null if none does.
const AllocationPolicy* FindPolicyFor(const std::string& executable,
                                      const std::vector<AllocationPolicy>& policies);

}  // namespace pagewarden
