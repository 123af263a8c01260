// SPDX-License-Identifier: Apache-2.0
// Secrets to look for, read from files: private keys in PEM or DER, or any text.
//
//   auto keys = LoadPrivateKeys("/etc/ssl/private/site.pem");
//   if (!keys.ok()) return keys.status();
//   for (const KeyComponent& c : keys->front().components) Use(c.name, c.bytes);
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/proof/secret_bytes.h"

namespace pagewarden {

inline constexpr size_t kMaxKeyFileBytes = 1 << 20;
inline constexpr size_t kMinTextBytes = 8;
inline constexpr size_t kMaxTextBytes = 4096;

// A secret number of a key, big-endian without leading zeros. Named "rsa.d",
// "rsa.p", "rsa.q", "rsa.dmp1", "rsa.dmq1", "rsa.iqmp" or "ec.scalar".
struct KeyComponent {
  std::string name;
  SecretBytes bytes;
};

struct PrivateKey {
  std::vector<KeyComponent> components;
  SecretBytes pem;  // the text from BEGIN to END; empty when the file is DER
};

// All private keys in the file: certificates beside them are passed over.
// InvalidArgument: none, encrypted, or a type other than RSA and EC. Messages
// name the file, never its contents. Never asks for a passphrase.
absl::StatusOr<std::vector<PrivateKey>> LoadPrivateKeys(const std::string& path);

// The file's text without the newlines at its end. InvalidArgument outside
// kMinTextBytes..kMaxTextBytes.
absl::StatusOr<SecretBytes> LoadTextSecret(const std::string& path);

}  // namespace pagewarden
