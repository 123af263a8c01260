// SPDX-License-Identifier: Apache-2.0
#include "agent/proc/parse.h"

#include <charconv>
#include <system_error>

namespace pagewarden {
namespace {

bool ConsumeNumber(absl::string_view& text, int base, uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

}  // namespace

bool ConsumeHex(absl::string_view& text, uint64_t& value) { return ConsumeNumber(text, 16, value); }

bool ConsumeDecimal(absl::string_view& text, uint64_t& value) {
  return ConsumeNumber(text, 10, value);
}

bool ConsumeChar(absl::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

absl::string_view ConsumeWord(absl::string_view& text) {
  const size_t space = text.find(' ');
  const absl::string_view word = text.substr(0, space);
  text.remove_prefix(space == absl::string_view::npos ? text.size() : space + 1);
  return word;
}

}  // namespace pagewarden
