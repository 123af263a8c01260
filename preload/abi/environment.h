// SPDX-License-Identifier: Apache-2.0
// How the launcher points the shim at its policy image.
//
// Under AT_SECURE the environment belongs to the caller, who may have fewer
// rights than the program (ld.so(8), "secure-execution mode"): the shim then
// ignores it and reads only kTrustedImagePath.
#pragma once

namespace pagewarden::abi {

// Absolute path of the policy image; set by `pagewarden run`.
inline constexpr char kImageVariable[] = "PAGEWARDEN_IMAGE";

// Set to a non-empty value to make the shim forward everything.
inline constexpr char kDisabledVariable[] = "PAGEWARDEN_DISABLED";

// Used when kImageVariable is unset, and always under AT_SECURE.
inline constexpr char kTrustedImagePath[] = "/run/pagewarden/policy.image";

}  // namespace pagewarden::abi
