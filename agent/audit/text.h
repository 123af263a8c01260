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

// Control characters, DEL and backslash become \xNN, so that a process cannot
// write escape sequences to the operator's terminal or forge lines by its name.
std::string Printable(absl::string_view text);

enum class Align { kLeft, kRight };

// Rows of cells as lines; each column as wide as its widest cell, two spaces
// apart. The first row is the heading. Trailing spaces are left out. The cells of the
// column `elastic` are shortened in the middle, to 24 at least, so that a line fits 120.
std::string FormatTable(const std::vector<Align>& columns,
                        std::vector<std::vector<std::string>> rows,
                        std::optional<size_t> elastic = std::nullopt);

// A cgroup's path within a line of text: printable, container ids and the middle cut.
std::string CgroupName(absl::string_view path);

// At most `width` bytes, "..." in the place of the rest; the end keeps more than the start.
std::string ShortenMiddle(absl::string_view text, size_t width);

}  // namespace pagewarden
