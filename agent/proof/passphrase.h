// SPDX-License-Identifier: Apache-2.0
// The passphrase of encrypted keys, and the two errors that go with it.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "agent/proof/secret_bytes.h"

namespace pagewarden {

using Passphrase = std::optional<SecretBytes>;

// The first line of the file.
absl::StatusOr<SecretBytes> LoadPassphrase(const std::string& path);

absl::Status PassphraseNeeded();
bool IsPassphraseNeeded(const absl::Status& status);
absl::Status PassphraseWrong();

}  // namespace pagewarden
