// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

// Puts a file with mode 0644 in place at once, by a temporary file beside it and rename(2):
// whoever reads sees the old one or the new one, whole.
absl::Status ReplaceFile(const std::string& path, absl::string_view bytes);

}  // namespace pagewarden
