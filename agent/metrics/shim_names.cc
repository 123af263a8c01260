// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/shim_names.h"

#include "agent/state/process_books.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxArenas = 16;  // of a policy: it has 8, and had others before

const std::string& Other() {
  static const auto* const other = new std::string(kOtherName);
  return *other;
}

const std::string& OneOf(const std::string& name, size_t most, std::set<std::string>& names) {
  const auto found = names.find(name);
  if (found != names.end()) return *found;
  return names.size() < most ? *names.insert(name).first : Other();
}

}  // namespace

ShimNames::ShimNames(const HostView& view) {
  for (const LoadedPolicy& policy : view.policies.loaded) policies_[policy.name].is_loaded = true;
  for (const auto& [name, book] : view.books.policies) {
    const auto [policy, is_new] = policies_.try_emplace(name);
    if (is_new) ++foreign_;
    for (const auto& [rule, counts] : book.rules) policy->second.rules.insert(rule);
  }
}

const std::string& ShimNames::Policy(const std::string& name) {
  const auto found = policies_.find(name);
  if (found != policies_.end()) return found->first;
  if (foreign_ >= kMaxForeignPolicies) return Other();
  ++foreign_;
  return policies_.try_emplace(name).first->first;
}

const std::string& ShimNames::Rule(const std::string& policy, const std::string& name) {
  const auto found = policies_.find(Policy(policy));
  if (found == policies_.end()) return Other();
  return OneOf(name, found->second.is_loaded ? kMaxRules : kMaxRulesOfForeign, found->second.rules);
}

const std::string& ShimNames::Arena(const std::string& policy, const std::string& name) {
  const auto found = policies_.find(Policy(policy));
  return found == policies_.end() ? Other() : OneOf(name, kMaxArenas, found->second.arenas);
}

}  // namespace pagewarden
