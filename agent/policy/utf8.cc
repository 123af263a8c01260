// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/utf8.h"

#include <cstdint>

namespace pagewarden {
namespace {

uint8_t ByteAt(absl::string_view text, size_t i) { return static_cast<uint8_t>(text[i]); }

// Length of the well-formed sequence at `start`, 0 if it is none.
size_t SequenceBytes(absl::string_view text, size_t start) {
  const uint8_t lead = ByteAt(text, start);
  if (lead < 0x80) return 1;
  const size_t bytes = lead >= 0xc2 && lead <= 0xdf   ? 2
                       : lead >= 0xe0 && lead <= 0xef ? 3
                       : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                      : 0;
  if (bytes == 0 || text.size() - start < bytes) return 0;
  for (size_t i = 1; i < bytes; ++i) {
    if ((ByteAt(text, start + i) & 0xc0) != 0x80) return 0;
  }
  const uint8_t second = ByteAt(text, start + 1);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool surrogate = lead == 0xed && second > 0x9f;
  const bool beyond = lead == 0xf4 && second > 0x8f;
  return overlong || surrogate || beyond ? 0 : bytes;
}

bool IsForbiddenControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f;
}

}  // namespace

size_t FindBadCharacter(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = SequenceBytes(text, i);
    if (bytes == 0 || IsForbiddenControl(text[i])) return i;
    i += bytes;
  }
  return absl::string_view::npos;
}

}  // namespace pagewarden
