// SPDX-License-Identifier: Apache-2.0
#include "agent/run/choose_policies.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/policy/canonical_paths.h"
#include "agent/policy/directories.h"
#include "agent/policy/load.h"
#include "agent/policy/resolve.h"
#include "agent/run/image_policies.h"

namespace pagewarden {
namespace {

// Any other policy for a program goes before it.
AllocationPolicy BuiltInPolicy(const std::vector<Preset>& presets) {
  AllocationPolicy policy;
  policy.metadata.name = kBuiltInPolicyName;
  policy.spec.priority = INT32_MIN;
  for (const Preset& preset : presets) {
    Rule& rule = policy.spec.rules.emplace_back();
    rule.match.preset.emplace().name = preset.metadata.name;
  }
  return policy;
}

void CheckNotEmpty(const PolicySet& set, const PolicyChoice& choice, Diagnostics& diagnostics) {
  if (!set.policies.empty() || !diagnostics.empty()) return;
  if (choice.budgets_suffice && !set.budgets.empty()) return;
  const auto where = std::make_shared<Source>(absl::StrJoin(choice.paths, ", "), "");
  diagnostics.Add({where, 0, 0}, PolicyError::kMissing, "there is no AllocationPolicy here");
}

std::string PresetsIn(const std::string& shipped) { return absl::StrCat(shipped, "/presets"); }

// A set of its own: a drop-in may have the name of a shipped one.
AllocationPolicy ShippedPolicyFor(const std::string& executable, const std::string& shipped,
                                  Diagnostics& diagnostics) {
  PolicySet set;
  LoadPath(PresetsIn(shipped), set, diagnostics);
  AllocationPolicy built_in = BuiltInPolicy(set.presets);
  LoadPath(shipped, set, diagnostics);
  AddCanonicalPaths(set);
  const AllocationPolicy* policy = FindPolicyFor(executable, set.policies);
  if (policy == nullptr) policy = &built_in;
  set.policies = {AllocationPolicy(*policy)};
  ResolveReferences(set, diagnostics);
  return set.policies[0];
}

// By an exception that is not decided yet.
bool IsExcepted(const AllocationPolicy& policy, const std::string& executable) {
  Surroundings facts;
  facts.executable = executable;
  return FindException(policy.spec.exceptions, facts, absl::CivilDay::min()) != nullptr;
}

}  // namespace

std::vector<AllocationPolicy> ShippedPolicies(const std::string& shipped,
                                              Diagnostics& diagnostics) {
  PolicySet set;
  LoadPath(PresetsIn(shipped), set, diagnostics);
  AllocationPolicy built_in = BuiltInPolicy(set.presets);
  LoadPath(shipped, set, diagnostics);
  AddCanonicalPaths(set);
  for (AllocationPolicy& policy : set.policies) policy.spec.priority = INT32_MIN + 1;
  set.policies.push_back(std::move(built_in));
  ResolveReferences(set, diagnostics);
  return std::move(set.policies);
}

PolicySet LoadChosen(const PolicyChoice& choice, const Program& program,
                     const std::string& shipped_policies, Diagnostics& diagnostics) {
  PolicySet set;
  LoadPath(PresetsIn(shipped_policies), set, diagnostics);
  for (const std::string& path : choice.paths) LoadPath(path, set, diagnostics);
  if (choice.paths.empty()) {
    LoadDropIns(choice.directories, set, diagnostics);
  } else {
    CheckNotEmpty(set, choice, diagnostics);
  }
  AddCanonicalPaths(set);
  ResolveReferences(set, diagnostics);
  Surroundings facts = choice.surroundings;
  facts.executable = program.executable;
  if (choice.all_shipped) {
    for (AllocationPolicy& policy : ShippedPolicies(shipped_policies, diagnostics)) {
      set.policies.push_back(std::move(policy));
    }
  } else if (choice.paths.empty() &&
             SelectPolicy(set.policies, facts, choice.host).policy == nullptr) {
    set.policies.push_back(ShippedPolicyFor(program.executable, shipped_policies, diagnostics));
  }
  if (!diagnostics.empty()) return {};
  for (AllocationPolicy& policy : set.policies) {
    policy.spec.mode = EffectiveMode(policy.spec.mode, choice.caps);
  }
  return set;
}

std::vector<AllocationPolicy> ChoosePolicies(const PolicyChoice& choice, const Program& program,
                                             const std::string& shipped_policies,
                                             Diagnostics& diagnostics) {
  const PolicySet set = LoadChosen(choice, program, shipped_policies, diagnostics);
  return ForImage(set.policies, choice.surroundings, choice.host);
}

const AllocationPolicy* FindPolicyFor(const std::string& executable,
                                      const std::vector<AllocationPolicy>& policies) {
  const AllocationPolicy* best = nullptr;
  for (const AllocationPolicy& policy : policies) {
    if (!Selects(policy, executable) || IsExcepted(policy, executable)) continue;
    if (best == nullptr || ComesBefore(policy, *best)) best = &policy;
  }
  return best;
}

}  // namespace pagewarden
