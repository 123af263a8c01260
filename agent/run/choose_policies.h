// SPDX-License-Identifier: Apache-2.0
// Which policies a run uses.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/policy/effective_mode.h"
#include "agent/policy/model.h"
#include "agent/policy/select.h"
#include "agent/run/program.h"

namespace pagewarden {

// Of the policy that applies all shipped presets to every executable.
inline constexpr char kBuiltInPolicyName[] = "default-presets";

struct PolicyChoice {
  std::vector<std::string> paths;        // files or directories; may be empty
  std::vector<std::string> directories;  // drop-ins (agent/policy/directories.h), without paths
  ModeCaps caps;                         // lower the mode of every policy
  Surroundings surroundings;             // of the program: all but its executable
  HostIdentity host;
  bool all_shipped = false;      // for an image that all programs of a cgroup follow
  bool budgets_suffice = false;  // paths need no AllocationPolicy
};

// With paths: all policies in them. Without: those of the drop-in directories and, if
// none of them applies to the program, behind them the shipped one that selects it, else
// one that applies all shipped presets to every executable. The shipped presets are
// always there to refer to. Paths of binaries that are links are joined by what they
// lead to, since that is what a process shows. Modes are lowered. Empty when there are
// errors, which go to `diagnostics`.
PolicySet LoadChosen(const PolicyChoice& choice, const Program& program,
                     const std::string& shipped_policies, Diagnostics& diagnostics);

// The shipped policies, and last the one that applies all shipped presets to every
// executable; resolved, and of lower priority than any other. With all_shipped LoadChosen
// has them behind the drop-ins, whatever the program is: who publishes to processes that
// other programs have started must not take their policies away.
std::vector<AllocationPolicy> ShippedPolicies(const std::string& shipped_policies,
                                              Diagnostics& diagnostics);

// Of these, what the shim needs to know in a process with these surroundings, and in
// what it starts (ForImage).
std::vector<AllocationPolicy> ChoosePolicies(const PolicyChoice& choice, const Program& program,
                                             const std::string& shipped_policies,
                                             Diagnostics& diagnostics);

// The policy that applies to `executable`, of policies that are decided but for that:
// of those that select it, the one of highest priority, then by name. Null if none does.
const AllocationPolicy* FindPolicyFor(const std::string& executable,
                                      const std::vector<AllocationPolicy>& policies);

}  // namespace pagewarden
