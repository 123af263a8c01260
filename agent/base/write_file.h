// SPDX-License-Identifier: Apache-2.0
// What writers of files share.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

// All of it, at the file's position. Part of it may be there after an error.
absl::Status WriteAll(int fd, absl::string_view bytes, absl::string_view path);

// FailedPrecondition: what `fd` is open on is neither root's nor the running user's, or
// others may write to it.
absl::Status CheckTrustedOwner(int fd, const std::string& path);

}  // namespace pagewarden
