// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/need.h"

#include <algorithm>

namespace pagewarden {
namespace {

constexpr uint64_t kDefaultNeed = 1 << 20;  // the default arena

}  // namespace

absl::StatusOr<Need> NeedOf(const Surroundings& where, const DoctorOptions& options) {
  Need need;
  if (options.need_bytes) {
    need.bytes = *options.need_bytes;
    need.asked_for = true;
    return need;
  }
  need.bytes = kDefaultNeed;
  if (options.shipped_policies.empty()) return need;
  Diagnostics diagnostics;
  Program program;
  program.path = where.executable;
  program.executable = where.executable;
  PolicyChoice choice = options.policies;
  choice.surroundings = where;
  const std::vector<AllocationPolicy> policies =
      ChoosePolicies(choice, program, options.shipped_policies, diagnostics);
  if (!diagnostics.empty()) return absl::InvalidArgumentError(diagnostics.Render());
  const AllocationPolicy* policy = FindPolicyFor(where.executable, policies);
  if (policy == nullptr) return need;
  need.policy = policy->metadata.name;
  need.bytes = policy->spec.mode == abi::Mode::kEnforce ? LockedAtStart(*policy) : 0;
  need.may_grow = MayGrow(*policy);
  return need;
}

void SubtractWhatIsLocked(const ProcessFacts& facts, Need& need) {
  if (need.asked_for || !facts.shim_loaded) return;
  need.bytes = 0;
  if (!facts.shim || !facts.shim->active || facts.shim->mode != "Enforce") return;
  need.policy = facts.shim->policy;
  for (const ShimArena& arena : facts.shim->arenas) {
    if (!arena.IsInherited()) continue;
    need.bytes += arena.capacity_bytes - std::min(arena.capacity_bytes, arena.locked_bytes);
  }
}

}  // namespace pagewarden
