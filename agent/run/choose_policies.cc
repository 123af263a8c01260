// SPDX-License-Identifier: Apache-2.0
#include "agent/run/choose_policies.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/policy/load.h"
#include "agent/policy/resolve.h"

namespace pagewarden {
namespace {

AllocationPolicy BuiltInPolicy(const std::vector<Preset>& presets) {
  AllocationPolicy policy;
  policy.metadata.name = kBuiltInPolicyName;
  for (const Preset& preset : presets) {
    Rule& rule = policy.spec.rules.emplace_back();
    rule.match.preset.emplace().name = preset.metadata.name;
  }
  return policy;
}

void AddCanonicalPaths(AllocationPolicy& policy) {
  std::vector<std::string>& binaries = policy.spec.selector.match_binaries;
  const std::vector<std::string> written = binaries;
  for (const std::string& path : written) {
    std::error_code error;
    const std::string canonical = std::filesystem::canonical(path, error).string();
    if (error || std::find(binaries.begin(), binaries.end(), canonical) != binaries.end()) continue;
    binaries.push_back(canonical);
  }
}

void KeepOnly(const AllocationPolicy* chosen, std::vector<AllocationPolicy>& policies) {
  AllocationPolicy kept = *chosen;
  policies.clear();
  policies.push_back(std::move(kept));
}

void CheckNotEmpty(const PolicySet& set, const PolicyChoice& choice, Diagnostics& diagnostics) {
  if (!set.policies.empty() || !diagnostics.empty()) return;
  const auto where = std::make_shared<Source>(absl::StrJoin(choice.paths, ", "), "");
  diagnostics.Add({where, 0, 0}, PolicyError::kMissing, "there is no AllocationPolicy here");
}

}  // namespace

std::vector<AllocationPolicy> ChoosePolicies(const PolicyChoice& choice, const Program& program,
                                             const std::string& shipped_policies,
                                             Diagnostics& diagnostics) {
  return ChoosePolicySet(choice, program, shipped_policies, diagnostics).policies;
}

PolicySet ChoosePolicySet(const PolicyChoice& choice, const Program& program,
                          const std::string& shipped_policies, Diagnostics& diagnostics) {
  PolicySet set;
  LoadPath(absl::StrCat(shipped_policies, "/presets"), set, diagnostics);
  const std::vector<Preset> shipped_presets = set.presets;
  for (const std::string& path : choice.paths) LoadPath(path, set, diagnostics);
  if (choice.paths.empty()) LoadPath(shipped_policies, set, diagnostics);
  CheckNotEmpty(set, choice, diagnostics);
  for (AllocationPolicy& policy : set.policies) AddCanonicalPaths(policy);
  if (choice.paths.empty()) {
    const AllocationPolicy built_in = BuiltInPolicy(shipped_presets);
    const AllocationPolicy* shipped = FindPolicyFor(program.executable, set.policies);
    KeepOnly(shipped == nullptr ? &built_in : shipped, set.policies);
  }
  ResolveReferences(set, diagnostics);
  if (!diagnostics.empty()) return {};
  for (AllocationPolicy& policy : set.policies) {
    policy.spec.mode = std::min(policy.spec.mode, choice.highest_mode.value_or(policy.spec.mode));
  }
  return set;
}

const AllocationPolicy* FindPolicyFor(const std::string& executable,
                                      const std::vector<AllocationPolicy>& policies) {
  const AllocationPolicy* best = nullptr;
  for (const AllocationPolicy& policy : policies) {
    if (!Selects(policy, executable)) continue;
    if (best == nullptr || ComesBefore(policy, *best)) best = &policy;
  }
  return best;
}

}  // namespace pagewarden
