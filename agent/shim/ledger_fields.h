// SPDX-License-Identifier: Apache-2.0
// What the validation of the ledger's header and of its tables share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace pagewarden {

inline absl::Status BrokenLedger(absl::string_view field) {
  return absl::DataLossError(absl::StrCat("the shim's ledger is not valid: ", field));
}

// NUL-terminated printable ASCII.
template <size_t N>
bool ReadLedgerText(const char (&field)[N], std::string& text) {
  const char* const end = std::find(field, field + N, '\0');
  if (end == field + N) return false;
  text.assign(field, end);
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); });
}

// Adds without wrapping: counts may be forged.
inline void AddCapped(uint64_t& sum, uint64_t count) {
  sum += std::min(count, std::numeric_limits<uint64_t>::max() - sum);
}

}  // namespace pagewarden
