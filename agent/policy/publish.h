// SPDX-License-Identifier: Apache-2.0
// Puts compiled policies where the shim finds them.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/policy/model.h"
#include "agent/policy/runtime_directory.h"

namespace pagewarden {

struct PublishedPolicy {
  std::string image_path;
  std::string scopes_path;  // empty: the policies name no function
};

// Writes policy.image and, unless no function is named, scopes.so to images/HASH below `runtime`, HASH being
// that of both contents: what a process has mapped never changes under it, and
// the same policies are stored once. `policies` must be resolved.
absl::StatusOr<PublishedPolicy> PublishPolicies(const std::vector<AllocationPolicy>& policies,
                                                const std::string& shim_path,
                                                const OwnedDirectory& runtime);

}  // namespace pagewarden
