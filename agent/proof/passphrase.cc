// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/passphrase.h"

#include <algorithm>

#include "absl/status/status.h"
#include "agent/proof/secret_file.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxPassphraseBytes = 4096;

}  // namespace

absl::StatusOr<SecretBytes> LoadPassphrase(const std::string& path) {
  auto text = ReadSecretFile(path, kMaxPassphraseBytes);
  if (!text.ok()) return text.status();
  const auto line_end = std::find_if(text->begin(), text->end(),
                                     [](unsigned char c) { return c == '\n' || c == '\r'; });
  text->resize(static_cast<size_t>(line_end - text->begin()));
  return text;
}

absl::Status PassphraseNeeded() {
  return absl::InvalidArgumentError(
      "the private key is encrypted; give its passphrase with --passphrase-file");
}

bool IsPassphraseNeeded(const absl::Status& status) { return status == PassphraseNeeded(); }

absl::Status PassphraseWrong() {
  return absl::InvalidArgumentError("the passphrase is wrong: it does not decrypt the private key");
}

}  // namespace pagewarden
