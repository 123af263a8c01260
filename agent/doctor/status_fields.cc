// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/status_fields.h"

#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "agent/proc/parse.h"

namespace pagewarden {

StatusFields StatusFields::Parse(absl::string_view text) {
  StatusFields fields;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(line, absl::MaxSplits(":\t", 1));
    if (field.first.size() == line.size()) continue;
    fields.fields_.emplace(field.first, absl::StripAsciiWhitespace(field.second));
  }
  return fields;
}

std::optional<absl::string_view> StatusFields::Find(absl::string_view name) const {
  const auto found = fields_.find(std::string(name));
  if (found == fields_.end()) return std::nullopt;
  return found->second;
}

std::optional<uint64_t> StatusFields::Hex(absl::string_view name) const {
  std::optional<absl::string_view> text = Find(name);
  uint64_t value = 0;
  if (!text || !ConsumeHex(*text, value) || !text->empty()) return std::nullopt;
  return value;
}

std::optional<uint64_t> StatusFields::Decimal(absl::string_view name) const {
  std::optional<absl::string_view> text = Find(name);
  uint64_t value = 0;
  if (!text || !ConsumeDecimal(*text, value) || !text->empty()) return std::nullopt;
  return value;
}

std::optional<uint64_t> StatusFields::KilobytesAsBytes(absl::string_view name) const {
  std::optional<absl::string_view> text = Find(name);
  uint64_t value = 0;
  if (!text || !ConsumeDecimal(*text, value) || *text != " kB" ||
      value > std::numeric_limits<uint64_t>::max() / 1024) {
    return std::nullopt;
  }
  return value * 1024;
}

std::optional<std::vector<uint64_t>> StatusFields::Numbers(absl::string_view name) const {
  const std::optional<absl::string_view> text = Find(name);
  if (!text) return std::nullopt;
  std::vector<uint64_t> numbers;
  for (absl::string_view word : absl::StrSplit(*text, absl::ByAnyChar("\t "), absl::SkipEmpty())) {
    uint64_t value = 0;
    if (!absl::SimpleAtoi(word, &value)) return std::nullopt;
    numbers.push_back(value);
  }
  return numbers;
}

}  // namespace pagewarden
