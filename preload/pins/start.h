// SPDX-License-Identifier: Apache-2.0
// What a policy says to pin, from Start's side.
#pragma once

#include "preload/rules/policy.h"

namespace pagewarden {

// Locks what is there already. Returns the groups of functions (interceptors.h) that
// the rest of it needs.
unsigned StartPins(const PolicyImage& image, const abi::PolicyEntry& policy);

}  // namespace pagewarden
