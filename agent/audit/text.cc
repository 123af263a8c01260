// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/text.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/cgroup/classify.h"

namespace pagewarden {
namespace {

constexpr size_t kTableWidth = 120;
constexpr size_t kLeastElastic = 24;
constexpr size_t kCgroupNameWidth = 60;

std::vector<size_t> WidthsOf(size_t columns, const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(columns);
  for (const auto& row : rows) {
    for (size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  return widths;
}

// What the other columns, with two blanks between any two, leave for `column`.
size_t WidthLeft(const std::vector<size_t>& widths, size_t column) {
  const size_t total = std::accumulate(widths.begin(), widths.end(), 2 * (widths.size() - 1));
  if (total <= kTableWidth) return widths[column];
  const size_t others = total - widths[column];
  const size_t left = others < kTableWidth ? kTableWidth - others : 0;
  return std::min(widths[column], std::max(left, kLeastElastic));
}

}  // namespace

std::string HumanBytes(uint64_t bytes) {
  if (bytes == 0) return "0";
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  static constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  // 1023.95 would print as 1024.0.
  for (value /= 1024; value >= 1023.95 && unit < 5; ++unit) value /= 1024;
  const bool whole = value >= 99.95 || std::fmod(std::round(value * 10), 10) == 0;
  return absl::StrFormat("%.*f %s", whole ? 0 : 1, value, kUnits[unit]);
}

std::string Printable(absl::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || c == '\\') {
      absl::StrAppendFormat(&result, "\\x%02x", byte);
    } else {
      result += c;
    }
  }
  return result;
}

std::string CgroupName(absl::string_view path) {
  return ShortenMiddle(Printable(ShortCgroupPath(path)), kCgroupNameWidth);
}

std::string ShortenMiddle(absl::string_view text, size_t width) {
  constexpr absl::string_view kCut = "...";
  if (text.size() <= width || width <= kCut.size()) return std::string(text);
  const size_t head = (width - kCut.size()) / 3;
  const size_t tail = width - kCut.size() - head;
  return absl::StrCat(text.substr(0, head), kCut, text.substr(text.size() - tail));
}

std::string FormatTable(const std::vector<Align>& columns,
                        std::vector<std::vector<std::string>> rows, std::optional<size_t> elastic) {
  std::vector<size_t> widths = WidthsOf(columns.size(), rows);
  if (elastic) {
    widths[*elastic] = WidthLeft(widths, *elastic);
    for (auto& row : rows) row[*elastic] = ShortenMiddle(row[*elastic], widths[*elastic]);
  }
  std::string table;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string padding(widths[i] - row[i].size(), ' ');
      absl::StrAppend(&line, i == 0 ? "" : "  ", columns[i] == Align::kLeft ? "" : padding, row[i],
                      columns[i] == Align::kLeft ? padding : "");
    }
    absl::StripTrailingAsciiWhitespace(&line);
    absl::StrAppend(&table, line, "\n");
  }
  return table;
}

}  // namespace pagewarden
