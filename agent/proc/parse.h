// SPDX-License-Identifier: Apache-2.0
// Cursor-style parsing of kernel text. Each function takes its token off the
// front of `text`; on false `text` is in an unspecified state. Numbers that do
// not fit 64 bits are refused.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace pagewarden {

bool ConsumeHex(absl::string_view& text, uint64_t& value);
bool ConsumeDecimal(absl::string_view& text, uint64_t& value);
bool ConsumeChar(absl::string_view& text, char c);

// Up to the next space, which is taken too; the rest if there is none.
absl::string_view ConsumeWord(absl::string_view& text);

}  // namespace pagewarden
