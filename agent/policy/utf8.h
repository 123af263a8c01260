// SPDX-License-Identifier: Apache-2.0
// Finds bytes that a text file must not hold.
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"

namespace pagewarden {

// Offset of the first byte that is not part of well-formed UTF-8 (RFC 3629) or
// is a control character other than tab, CR and LF; npos when there is none.
size_t FindBadCharacter(absl::string_view text);

}  // namespace pagewarden
