// SPDX-License-Identifier: Apache-2.0
// Text as the exposition formats want it (prometheus.io/docs/instrumenting/exposition_formats).
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace pagewarden {

// Backslash, quote and newline, for between the quotes of a label.
std::string EscapeLabel(absl::string_view value);
// Backslash and newline.
std::string EscapeHelp(absl::string_view text);

// Of a histogram's `le`: OpenMetrics wants a float, "1.0", and the text format takes it.
std::string FormatBound(double bound);

}  // namespace pagewarden
