// SPDX-License-Identifier: Apache-2.0
// Which characters of a PEM block encode private bytes. A private key's PEM
// begins with its public half (RSA) or ends with it (EC): finding that says nothing.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/strings/string_view.h"
#include "agent/proof/key_components.h"

namespace pagewarden {

// The private part of one base64 line.
struct PemLine {
  absl::string_view text;  // into the block
  size_t line = 0;         // counted from the first base64 line
  size_t offset = 0;       // of `text` among the block's base64 characters
};

// The bytes that the base64 lines of a block encode; empty if they are not base64.
SecretBytes DecodePemText(absl::string_view block);

std::vector<PemLine> PrivatePemLines(absl::string_view block,
                                     const std::vector<KeyComponent>& components);

}  // namespace pagewarden
