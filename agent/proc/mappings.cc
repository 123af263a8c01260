// SPDX-License-Identifier: Apache-2.0
#include "agent/proc/mappings.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/proc/parse.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

// A mapping takes under 1 KiB of smaps and vm.max_map_count is 65530 unless an
// operator raises it.
constexpr size_t kMaxSmapsBytes = size_t{256} << 20;

bool ParsePermissions(absl::string_view text, Mapping& mapping) {
  if (text.size() != 4) return false;
  const auto flag = [&text](size_t i, char set, bool& out) {
    out = text[i] == set;
    return out || text[i] == '-';
  };
  mapping.shared = text[3] == 's';
  return flag(0, 'r', mapping.readable) && flag(1, 'w', mapping.writable) &&
         flag(2, 'x', mapping.executable) && (text[3] == 's' || text[3] == 'p');
}

bool ParseDevice(absl::string_view text) {
  uint64_t major = 0;
  uint64_t minor = 0;
  return ConsumeHex(text, major) && ConsumeChar(text, ':') && ConsumeHex(text, minor) &&
         text.empty();
}

// start-end perms offset major:minor inode [name]
bool ParseHeader(absl::string_view line, Mapping& mapping) {
  if (!ConsumeHex(line, mapping.start) || !ConsumeChar(line, '-') ||
      !ConsumeHex(line, mapping.end) || !ConsumeChar(line, ' ')) {
    return false;
  }
  if (mapping.start >= mapping.end) return false;
  if (!ParsePermissions(ConsumeWord(line), mapping)) return false;
  if (!ConsumeHex(line, mapping.file_offset) || !ConsumeChar(line, ' ')) return false;
  if (!ParseDevice(ConsumeWord(line))) return false;
  uint64_t inode = 0;
  if (!ConsumeDecimal(line, inode)) return false;
  if (!line.empty() && line[0] != ' ') return false;
  mapping.name = std::string(absl::StripLeadingAsciiWhitespace(line));
  return true;
}

// "Rss:                 4 kB": a word and a colon, as every line but the headers.
bool IsField(absl::string_view line) {
  const size_t colon = line.find(':');
  return colon != absl::string_view::npos && colon > 0 && absl::ascii_isupper(line[0]) &&
         line.substr(0, colon).find(' ') == absl::string_view::npos;
}

void ParseFlags(absl::string_view flags, Mapping& mapping) {
  for (absl::string_view flag : absl::StrSplit(flags, ' ', absl::SkipEmpty())) {
    if (flag == "lo") mapping.locked = true;
    if (flag == "dd") mapping.dumpable = false;
    if (flag == "ht") mapping.hugetlb = true;
    if (flag == "io" || flag == "pf") mapping.device = true;
  }
}

absl::Status MalformedLine(size_t number) {
  // Not the line itself: it may hold anything the process chose.
  return absl::InvalidArgumentError(absl::StrCat("line ", number, " of the mappings is malformed"));
}

}  // namespace

absl::StatusOr<std::vector<Mapping>> ParseMappings(absl::string_view text) {
  std::vector<Mapping> mappings;
  if (text.empty()) return mappings;
  if (text.back() != '\n') return absl::InvalidArgumentError("the mappings end in mid-line");
  text.remove_suffix(1);

  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (IsField(line)) {
      if (mappings.empty()) return MalformedLine(number);
      if (absl::ConsumePrefix(&line, "VmFlags:")) ParseFlags(line, mappings.back());
      continue;
    }
    Mapping mapping;
    if (!ParseHeader(line, mapping)) return MalformedLine(number);
    mappings.push_back(std::move(mapping));
  }
  return mappings;
}

absl::StatusOr<std::vector<Mapping>> ReadMappings(pid_t pid) {
  auto text = ReadBoundedFile(absl::StrCat("/proc/", pid, "/smaps"), kMaxSmapsBytes);
  if (!text.ok()) return text.status();
  return ParseMappings(*text);
}

absl::StatusOr<std::vector<Mapping>> ReadMappingsWithoutFlags(pid_t pid) {
  auto text = ReadBoundedFile(absl::StrCat("/proc/", pid, "/maps"), kMaxSmapsBytes);
  if (!text.ok()) return text.status();
  return ParseMappings(*text);
}

}  // namespace pagewarden
