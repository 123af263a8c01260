// SPDX-License-Identifier: Apache-2.0
// Bounded reads of procfs and cgroupfs files, whose size stat(2) gives as 0.
//
//   auto text = pagewarden::ReadBoundedFile("/proc/self/status", 64 << 10);
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace pagewarden {

// Reads the whole file. NotFound: no such file, or its process is gone;
// PermissionDenied; ResourceExhausted: it has more than `max_bytes` bytes.
// Thread-safe.
absl::StatusOr<std::string> ReadBoundedFile(const std::string& path, size_t max_bytes);

// The target of a symbolic link; errors as above.
absl::StatusOr<std::string> ReadLink(const std::string& path);

}  // namespace pagewarden
