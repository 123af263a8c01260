// SPDX-License-Identifier: Apache-2.0
#include "agent/run/image_policies.h"

#include <optional>
#include <utility>

namespace pagewarden {
namespace {

// Takes out of the selector what is decided. False: nothing in these surroundings fits.
bool Decide(const Surroundings& surroundings, ProcessSelector& selector) {
  if (!surroundings.cgroup.has_value()) return !selector.namespaces && !selector.pods;
  if (!FitsSurroundings(selector, surroundings).fits) return false;
  selector.match_units.clear();
  selector.match_slices.clear();
  selector.match_cgroups.clear();
  selector.namespaces.reset();
  selector.pods.reset();
  return true;
}

// Nullopt: there is one for every process.
std::optional<std::vector<Exception>> StillOpen(const std::vector<Exception>& exceptions,
                                                const Surroundings& surroundings,
                                                const HostIdentity& host) {
  std::vector<Exception> open;
  for (Exception exception : exceptions) {
    if (exception.expires < host.today || !Decide(surroundings, exception)) continue;
    if (exception.IsEmpty()) return std::nullopt;
    open.push_back(std::move(exception));
  }
  return open;
}

}  // namespace

std::vector<AllocationPolicy> ForImage(const std::vector<AllocationPolicy>& policies,
                                       const Surroundings& surroundings, const HostIdentity& host) {
  std::vector<AllocationPolicy> kept;
  for (AllocationPolicy policy : policies) {
    auto exceptions = StillOpen(policy.spec.exceptions, surroundings, host);
    if (!exceptions.has_value() || !IsRolledOut(policy, host).fits ||
        !Decide(surroundings, policy.spec.selector))
      continue;
    policy.spec.exceptions = *std::move(exceptions);
    kept.push_back(std::move(policy));
  }
  return kept;
}

}  // namespace pagewarden
