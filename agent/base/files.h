// SPDX-License-Identifier: Apache-2.0
// Reads small files whole, with a bound and with a check of who may write them.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

// "`path`: the text of `error`", under the matching absl code (EACCES and EPERM:
// PermissionDenied; ENOENT and ENOTDIR: NotFound; else Unknown).
absl::Status ErrnoStatus(int error, absl::string_view path);

// Reads from the start of `fd`. ResourceExhausted: more than `max_bytes`;
// `path` only names the file in errors.
absl::StatusOr<std::string> ReadAll(int fd, size_t max_bytes, absl::string_view path);

// Reads a regular file that only root and the running user can change: it must
// be owned by one of them and not be writable by group or others. Symbolic
// links are followed; what counts is the file they lead to.
// PermissionDenied: not readable. FailedPrecondition: readable but not trusted.
absl::StatusOr<std::string> ReadTrustedFile(const std::string& path, size_t max_bytes);

}  // namespace pagewarden
