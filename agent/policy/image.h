// SPDX-License-Identifier: Apache-2.0
// Policies in the flat form the shim maps: preload/abi/policy_image.h.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/policy/model.h"

namespace pagewarden {

// The functions of all rules of all policies, each once, in the order of first
// use: the function table of the image and the slots of the scope library.
std::vector<std::string> FunctionTable(const std::vector<AllocationPolicy>& policies);

// Names of the policy's rules in the image's order: by priority. A rule without a name goes
// by its preset, or by its place in the policy.
std::vector<std::string> RuleNamesOf(const AllocationPolicy& policy);

// The image of resolved policies (ResolveReferences), the highest priority
// first, equal ones by name. The same policies give the same bytes.
// ResourceExhausted: larger than abi::kMaxPolicyImageBytes.
absl::StatusOr<std::string> CompilePolicyImage(std::vector<AllocationPolicy> policies);

// InvalidArgument names the first thing in `image` that a reader must refuse:
// magic, version, size, checksum, a table, a reference or a value.
absl::Status ValidatePolicyImage(absl::string_view image);

}  // namespace pagewarden
