// SPDX-License-Identifier: Apache-2.0
// Which policy of an image is for this process.
#pragma once

#include "preload/rules/identity.h"
#include "preload/rules/policy.h"

namespace pagewarden {

// The first policy, by priority, that selects the process and makes no exception of it;
// null: none does. In secure-execution mode, of those that are for it.
const abi::PolicyEntry* SelectPolicy(const PolicyImage& image, bool secure, Identity& who);

}  // namespace pagewarden
