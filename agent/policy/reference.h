// SPDX-License-Identifier: Apache-2.0
// The tables of fields in docs/policy.md.
#pragma once

#include <string>

namespace pagewarden {

// What stands there between these two lines, checked by a test.
inline constexpr char kReferenceStart[] = "<!-- pagewarden policy schema --markdown: start -->\n";
inline constexpr char kReferenceEnd[] = "<!-- pagewarden policy schema --markdown: end -->\n";

std::string PolicyReferenceMarkdown();

}  // namespace pagewarden
