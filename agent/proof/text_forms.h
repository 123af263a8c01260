// SPDX-License-Identifier: Apache-2.0
// The forms in which programs keep a text or a string of bytes.
#pragma once

#include <string>
#include <vector>

#include "agent/proof/secret_bytes.h"

namespace pagewarden {

struct TextForm {
  std::string name;  // "text", "utf16-le", "base64", …
  SecretBytes bytes;
  size_t min_run = 0;  // intact contiguous bytes that make a copy
};

// As it is; UTF-16 (Java, JavaScript, .NET); base64 at each of its three phases,
// as in `Authorization: Basic`; escaped for JSON and for URLs where that differs.
std::vector<TextForm> TextForms(ByteView text);

// As they are, in hexadecimal digits of either case, and in base64.
std::vector<TextForm> RawForms(ByteView bytes);

}  // namespace pagewarden
