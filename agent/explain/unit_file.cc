// SPDX-License-Identifier: Apache-2.0
#include "agent/explain/unit_file.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxUnitFile = 1 << 20;
constexpr const char* kDirectories[] = {"/etc/systemd/system", "/run/systemd/system",
                                        "/usr/lib/systemd/system", "/lib/systemd/system"};

// "getty@tty1.service" → "getty@.service".
std::string TemplateOf(const std::string& unit) {
  const size_t at = unit.find('@'), dot = unit.rfind('.');
  if (at == std::string::npos || dot == std::string::npos || dot < at) return unit;
  return absl::StrCat(unit.substr(0, at + 1), unit.substr(dot));
}

// systemd.service(5): "@-:+!" before the path have meanings of their own.
std::string ExecutableOf(absl::string_view command) {
  const size_t path = command.find_first_not_of("@-:+! ");
  if (path == absl::string_view::npos) return "";
  command.remove_prefix(path);
  return std::string(command.substr(0, command.find_first_of(" \t")));
}

struct Settings {
  std::string executable;
  std::string slice;
};

void Apply(absl::string_view text, Settings& settings) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (absl::ConsumePrefix(&line, "ExecStart=")) settings.executable = ExecutableOf(line);
    if (absl::ConsumePrefix(&line, "Slice=")) settings.slice = std::string(line);
  }
}

// By name; of one name, that of the first directory counts.
std::vector<std::string> DropInsOf(const std::string& unit, const std::string& root) {
  std::map<std::string, std::string> by_name;
  for (const char* directory : kDirectories) {
    std::error_code error;
    for (fs::directory_iterator entry(absl::StrCat(root, directory, "/", unit, ".d"), error), end;
         !error && entry != end; entry.increment(error)) {
      if (entry->path().extension() == ".conf")
        by_name.try_emplace(entry->path().filename().string(), entry->path().string());
    }
  }
  std::vector<std::string> paths;
  for (const auto& [name, path] : by_name) paths.push_back(path);
  return paths;
}

absl::StatusOr<std::string> ReadMain(const std::string& unit, const std::string& root) {
  for (const std::string& name : {unit, TemplateOf(unit)}) {
    for (const char* directory : kDirectories) {
      auto text = ReadBoundedFile(absl::StrCat(root, directory, "/", name), kMaxUnitFile);
      if (text.ok()) return text;
    }
  }
  return absl::NotFoundError(absl::StrCat("unit ", unit, ": not running, and no such unit file"));
}

}  // namespace

std::string CgroupOfSlice(const std::string& slice) {
  absl::string_view stem = slice;
  if (slice == "-.slice" || !absl::ConsumeSuffix(&stem, ".slice")) return "";
  std::string path, name;
  for (absl::string_view part : absl::StrSplit(stem, '-')) {
    absl::StrAppend(&name, name.empty() ? "" : "-", part);
    absl::StrAppend(&path, "/", name, ".slice");
  }
  return path;
}

absl::StatusOr<UnitFile> ReadUnitFile(const std::string& unit, const std::string& root) {
  if (absl::StrContains(unit, '/')) return absl::NotFoundError("a unit's name has no slash");
  const absl::StatusOr<std::string> text = ReadMain(unit, root);
  if (!text.ok()) return text.status();
  Settings settings;
  Apply(*text, settings);
  for (const std::string& path : DropInsOf(unit, root)) {
    const auto drop_in = ReadBoundedFile(path, kMaxUnitFile);
    if (drop_in.ok()) Apply(*drop_in, settings);
  }
  if (settings.slice.empty()) settings.slice = "system.slice";
  return UnitFile{settings.executable, absl::StrCat(CgroupOfSlice(settings.slice), "/", unit)};
}

}  // namespace pagewarden
