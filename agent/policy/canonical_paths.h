// SPDX-License-Identifier: Apache-2.0
// Paths of binaries that are links, joined by what they lead to: that is what
// /proc/PID/exe shows.
#pragma once

#include "agent/policy/model.h"

namespace pagewarden {

// In the selectors and exceptions of policies and budgets. What is not there stays as written.
void AddCanonicalPaths(PolicySet& set);

}  // namespace pagewarden
