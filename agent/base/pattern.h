// SPDX-License-Identifier: Apache-2.0
// Patterns of the policy language: `*` stands for any run of characters, `?`
// for one.
#pragma once

#include "absl/strings/string_view.h"

namespace pagewarden {

bool MatchesPattern(absl::string_view text, absl::string_view pattern);

// A module's pattern: for the path if it has a slash, else for the file's name.
bool MatchesModule(absl::string_view path, absl::string_view pattern);

}  // namespace pagewarden
