// SPDX-License-Identifier: Apache-2.0
// What one field cannot tell: names that must be unique, references that must
// lead somewhere, words that exclude each other.
#pragma once

#include <string>
#include <vector>

#include "agent/policy/model.h"

namespace pagewarden {

// Fills in what the policies leave to defaults and the resolved parts of their
// rules, and reports what does not fit together.
void ResolveReferences(PolicySet& set, Diagnostics& diagnostics);

// The forms of `match` that are there, as they are written: "preset", "during", …
std::vector<std::string> FormsOf(const Match& match);

}  // namespace pagewarden
