// SPDX-License-Identifier: Apache-2.0
// Private keys in OpenSSH's own format (PROTOCOL.key in its sources).
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/proof/key_components.h"
#include "agent/proof/passphrase.h"

namespace pagewarden {

// What the base64 text of the block encodes: RSA, ECDSA and Ed25519 keys, plain
// or encrypted with AES. Errors as LoadPrivateKeys has them, without the path.
absl::StatusOr<std::vector<KeyComponent>> ParseOpenSshKey(ByteView encoded,
                                                          const Passphrase& passphrase);

}  // namespace pagewarden
