// SPDX-License-Identifier: Apache-2.0
// Numbers, names and columns for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pagewarden {

// 0 → "0", 65536 → "64 KiB", 1310720 → "1.2 MiB": three digits at most before the unit.
std::string HumanBytes(uint64_t bytes);

// HumanBytes, or "unlimited".
std::string HumanLimit(std::optional<uint64_t> bytes);

// Control characters, DEL and backslash become \xNN, so that a process cannot
// write escape sequences to the operator's terminal or forge lines by its name.
std::string Printable(absl::string_view text);

enum class Align { kLeft, kRight };

// Rows of cells as lines; each column as wide as its widest cell, two spaces
// apart. The first row is the heading. Trailing spaces are left out.
std::string FormatTable(const std::vector<Align>& columns,
                        const std::vector<std::vector<std::string>>& rows);

}  // namespace pagewarden
