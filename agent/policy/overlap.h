// SPDX-License-Identifier: Apache-2.0
// What two selectors have to do with each other, as far as their text tells.
#pragma once

#include "absl/strings/string_view.h"
#include "agent/policy/selector.h"

namespace pagewarden {

// Whether a text exists that both patterns match.
bool PatternsOverlap(absl::string_view a, absl::string_view b);

// Whether a process may exist that both select.
bool SelectorsOverlap(const ProcessSelector& a, const ProcessSelector& b);

// Whether `outer` is sure to select all that `inner` selects.
bool Covers(const ProcessSelector& outer, const ProcessSelector& inner);

}  // namespace pagewarden
