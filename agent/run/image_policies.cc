// SPDX-License-Identifier: Apache-2.0
#include "agent/run/image_policies.h"

#include <algorithm>
#include <set>

namespace pagewarden {
namespace {

// Exceptions that hold in these surroundings name some executables, or all.
struct LeftOut {
  bool all = false;
  std::set<std::string> executables;
};

LeftOut FindLeftOut(const AllocationPolicy& policy, const Surroundings& surroundings,
                    const HostIdentity& host) {
  LeftOut left_out;
  for (const Exception& exception : policy.spec.exceptions) {
    if (exception.expires < host.today || !FitsSurroundings(exception, surroundings).fits) continue;
    left_out.all |= exception.match_binaries.empty();
    left_out.executables.insert(exception.match_binaries.begin(), exception.match_binaries.end());
  }
  return left_out;
}

bool MayApply(const AllocationPolicy& policy, const Surroundings& surroundings,
              const HostIdentity& host) {
  return FitsSurroundings(policy.spec.selector, surroundings).fits &&
         IsRolledOut(policy, host).fits && !FindLeftOut(policy, surroundings, host).all;
}

// Above all others, for this one executable.
AllocationPolicy For(const std::string& executable, const AllocationPolicy* chosen) {
  AllocationPolicy policy;
  if (chosen != nullptr) {
    policy = *chosen;
  } else {
    policy.metadata.name = kExceptedPolicyName;
    policy.spec.mode = abi::Mode::kDisabled;
    policy.spec.arenas.emplace_back();
  }
  policy.spec.priority = INT32_MAX;
  policy.spec.selector.match_binaries = {executable};
  return policy;
}

}  // namespace

std::vector<AllocationPolicy> ForImage(const std::vector<AllocationPolicy>& policies,
                                       const Surroundings& surroundings, const HostIdentity& host) {
  std::vector<AllocationPolicy> kept;
  std::set<std::string> excepted;
  for (const AllocationPolicy& policy : policies) {
    if (!MayApply(policy, surroundings, host)) continue;
    kept.push_back(policy);
    excepted.merge(FindLeftOut(policy, surroundings, host).executables);
  }
  // A list of names to leave out is more than the image can say, so each gets its own.
  for (const std::string& executable : excepted) {
    Surroundings facts = surroundings;
    facts.executable = executable;
    kept.push_back(For(executable, SelectPolicy(policies, facts, host).policy));
  }
  return kept;
}

}  // namespace pagewarden
