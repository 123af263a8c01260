// SPDX-License-Identifier: Apache-2.0
// Finds the word somebody meant to write.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pagewarden {

// The candidate with the smallest edit distance to `word`, ignoring case; empty
// when none is near (more than a third of the letters, at most 3, differ).
std::string ClosestWord(absl::string_view word, const std::vector<std::string>& candidates);

}  // namespace pagewarden
