// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/quantity.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/policy/diagnostics.h"

namespace pagewarden {
namespace {

struct Unit {
  absl::string_view suffix;
  int shift;
};
constexpr Unit kUnits[] = {{"Gi", 30}, {"Mi", 20}, {"Ki", 10}, {"", 0}};

absl::Status Invalid(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("bad quantity ", Quoted(text), ": ", why));
}

// `8M`, `8MB`, `8mi`, `8MiB`, …: says what the two readings would be.
absl::Status AmbiguousUnit(absl::string_view text, uint64_t number, absl::string_view suffix) {
  constexpr absl::string_view kLetters = "KMG";
  const size_t power =
      suffix.empty() ? absl::string_view::npos : kLetters.find(absl::ascii_toupper(suffix[0]));
  constexpr uint64_t kLargestShown = 1u << 20;
  if (power == absl::string_view::npos || number > kLargestShown) {
    return Invalid(text, "write a whole number of bytes, or one with Ki, Mi or Gi");
  }
  const uint64_t binary = number << (10 * (power + 1));
  const uint64_t decimal = number * (power == 0 ? 1000u : power == 1 ? 1000000u : 1000000000u);
  return Invalid(
      text, absl::StrFormat("write %u%ci (%u) or %u", number, kLetters[power], binary, decimal));
}

}  // namespace

absl::StatusOr<uint64_t> ParseQuantity(absl::string_view text) {
  const auto first_letter = std::find_if_not(
      text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
  const auto digits = text.substr(0, static_cast<size_t>(first_letter - text.begin()));
  const absl::string_view suffix = text.substr(digits.size());
  if (digits.empty() || (digits.size() > 1 && digits[0] == '0')) {
    return Invalid(text, "write a whole number of bytes, or one with Ki, Mi or Gi");
  }
  uint64_t number = 0;
  if (!absl::SimpleAtoi(digits, &number)) return Invalid(text, "more than 64 bits");
  for (const Unit& unit : kUnits) {
    if (suffix != unit.suffix) continue;
    if (number > (UINT64_MAX >> unit.shift)) return Invalid(text, "more than 64 bits");
    return number << unit.shift;
  }
  return AmbiguousUnit(text, number, suffix);
}

std::string FormatQuantity(uint64_t bytes) {
  for (const Unit& unit : kUnits) {
    const uint64_t size = uint64_t{1} << unit.shift;
    if (bytes >= size && bytes % size == 0) return absl::StrCat(bytes / size, unit.suffix);
  }
  return "0";
}

}  // namespace pagewarden
