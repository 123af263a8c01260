// SPDX-License-Identifier: Apache-2.0
#include "agent/coverage/selection.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxKnown = 1 << 16;

}  // namespace

bool Selection::IsUpToDate(const std::shared_ptr<const PolicySet>& policies, absl::CivilDay today,
                           const PodTable& pods) const {
  return policies == policies_ && today == host_.today && pods == pods_;
}

bool Selection::Update(const std::shared_ptr<const PolicySet>& policies, const HostIdentity& host,
                       const PodTable& pods) {
  if (IsUpToDate(policies, host.today, pods)) return false;
  policies_ = policies;
  host_ = host;
  pods_ = pods;
  known_.clear();
  return true;
}

const AllocationPolicy* Selection::Find(const std::string& cgroup, const std::string& executable) {
  if (policies_ == nullptr || policies_->policies.empty()) return nullptr;
  if (known_.size() >= kMaxKnown) known_.clear();
  const auto [entry, is_new] = known_.try_emplace({cgroup, executable}, nullptr);
  if (!is_new) return entry->second;
  Surroundings facts = FactsOfCgroup(cgroup, pods_);
  facts.executable = executable;
  const AllocationPolicy* const policy = SelectPolicy(policies_->policies, facts, host_).policy;
  if (policy != nullptr && policy->spec.mode != abi::Mode::kDisabled) entry->second = policy;
  return entry->second;
}

}  // namespace pagewarden
