// SPDX-License-Identifier: Apache-2.0
// The private keys in a PKCS #12 file (.p12, .pfx; RFC 7292).
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/proof/openssl_ptr.h"
#include "agent/proof/passphrase.h"

namespace pagewarden {

// nullopt: not such a file. Parts that cannot be decrypted, often certificates
// under ciphers of the last century, are passed over. Errors as LoadPrivateKeys
// has them, without the path.
absl::StatusOr<std::optional<std::vector<KeyPtr>>> ParsePkcs12(ByteView bytes,
                                                               const Passphrase& given);

}  // namespace pagewarden
