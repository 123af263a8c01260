// SPDX-License-Identifier: Apache-2.0
// Secrets to look for, read from files: private keys, or any text or bytes.
//
//   auto keys = LoadPrivateKeys("/etc/ssl/private/site.pem", passphrase);
//   if (!keys.ok()) return keys.status();
//   for (const KeyComponent& c : keys->front().components) Use(c.name, c.bytes);
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/proof/key_components.h"
#include "agent/proof/passphrase.h"
#include "agent/proof/secret_bytes.h"

namespace pagewarden {

inline constexpr size_t kMaxKeyFileBytes = 1 << 20;
inline constexpr size_t kMinTextBytes = 8;
inline constexpr size_t kMaxTextBytes = 4096;

struct PrivateKey {
  std::vector<KeyComponent> components;
  // Texts from BEGIN to END: as the file has it, and as programs write it
  // (PKCS #8; PKCS #1 or SEC 1).
  std::vector<SecretBytes> pem;
};

// All private keys in the file, which may be PEM (PKCS #1, SEC 1, PKCS #8, OpenSSH;
// certificates beside them are passed over), DER of the first three, or PKCS #12.
// InvalidArgument: none, or one that cannot be decrypted or is of another type.
// Messages name the file, never its contents. Never asks on the terminal.
absl::StatusOr<std::vector<PrivateKey>> LoadPrivateKeys(const std::string& path,
                                                        const Passphrase& passphrase = {});

// The same of a file's contents; messages do not name it.
absl::StatusOr<std::vector<PrivateKey>> ParsePrivateKeys(ByteView contents,
                                                         const Passphrase& passphrase = {});

// The file's text without the newlines at its end. InvalidArgument outside
// kMinTextBytes..kMaxTextBytes.
absl::StatusOr<SecretBytes> LoadTextSecret(const std::string& path);

// The bytes that the file spells in hexadecimal; white space and colons between
// the digits are passed over. InvalidArgument as above.
absl::StatusOr<SecretBytes> LoadHexSecret(const std::string& path);

}  // namespace pagewarden
