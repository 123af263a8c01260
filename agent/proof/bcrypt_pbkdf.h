// SPDX-License-Identifier: Apache-2.0
// The key derivation of OpenSSH's encrypted keys.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "agent/proof/secret_bytes.h"

namespace pagewarden {

// OpenSSL has no bcrypt_pbkdf; Botan has. It is loaded when it is needed, so that
// the other commands neither depend on it nor spend milliseconds on linking it.
// Unimplemented: libbotan-2 is not installed.
absl::StatusOr<SecretBytes> BcryptPbkdf(ByteView passphrase, ByteView salt, uint32_t rounds,
                                        size_t bytes);

}  // namespace pagewarden
