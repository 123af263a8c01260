// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/proof/secret_bytes.h"

namespace pagewarden {

// Reads a whole file, pipe or device of at most `max_bytes`. The status names
// the path.
absl::StatusOr<SecretBytes> ReadSecretFile(const std::string& path, size_t max_bytes);

// The same of an open file, from where it stands. `path` only names it in errors.
absl::StatusOr<SecretBytes> ReadSecret(int fd, const std::string& path, size_t max_bytes);

}  // namespace pagewarden
