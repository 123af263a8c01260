// SPDX-License-Identifier: Apache-2.0
#include "agent/units/unit_file.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr size_t kMaxDropIns = 1024;
constexpr int kMaxLinks = 8;

// Of systemd.unit(5), the highest priority first.
constexpr const char* kUnitDirectories[] = {
    "/etc/systemd/system.control",   "/run/systemd/system.control",  "/run/systemd/transient",
    "/run/systemd/generator.early",  "/etc/systemd/system",          "/etc/systemd/system.attached",
    "/run/systemd/system",           "/run/systemd/system.attached", "/run/systemd/generator",
    "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",      "/lib/systemd/system",
    "/run/systemd/generator.late",
};
constexpr const char* kManagerDirectories[] = {"/etc/systemd", "/run/systemd",
                                               "/usr/local/lib/systemd", "/usr/lib/systemd"};

bool IsUnitName(absl::string_view name) {
  return !name.empty() && name.size() < 256 && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  absl::StrContains(":-_.\\@", absl::string_view(&c, 1));
         });
}

// "foo@bar.service" → "foo@.service"; empty: no instance.
std::string TemplateOf(absl::string_view name) {
  const size_t at = name.find('@');
  const size_t dot = name.rfind('.');
  if (at == absl::string_view::npos || dot == absl::string_view::npos || dot <= at + 1) return "";
  return absl::StrCat(name.substr(0, at + 1), name.substr(dot));
}

// Whose NAME.d counts: the unit's own, its template's, those of its prefixes.
std::vector<std::string> DropInNames(const std::string& name) {
  std::vector<std::string> names = {name};
  const std::string of_template = TemplateOf(name);
  if (!of_template.empty()) names.push_back(of_template);
  const size_t dot = name.rfind('.');
  const std::string suffix = name.substr(dot);
  std::string stem = name.substr(0, std::min(dot, name.find('@')));
  for (size_t dash = stem.rfind('-'); dash != std::string::npos && dash > 0;
       dash = stem.rfind('-', dash - 1)) {
    names.push_back(absl::StrCat(stem.substr(0, dash + 1), suffix));
  }
  return names;
}

// Follows links inside of the root; empty: it leads to /dev/null, or nowhere.
std::string Resolve(const std::string& root, std::string path) {
  for (int links = 0; links < kMaxLinks; ++links) {
    std::error_code error;
    const fs::path here = root + path;
    if (!fs::is_symlink(here, error)) return fs::exists(here, error) ? path : "";
    const std::string target = fs::read_symlink(here, error).string();
    if (error || target.empty()) return "";
    path = target.front() == '/'
               ? target
               : (fs::path(path).parent_path() / target).lexically_normal().string();
    if (path == "/dev/null") return "";
  }
  return "";
}

bool Exists(const std::string& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type() != fs::file_type::not_found && !error;
}

struct Fragment {
  bool found = false;
  std::string path;  // empty: masked
};

Fragment FindFragment(const std::string& root, const std::string& name) {
  for (const char* directory : kUnitDirectories) {
    const std::string path = absl::StrCat(directory, "/", name);
    if (Exists(root + path)) return {true, Resolve(root, path)};
  }
  return {};
}

// By file name: the first directory that has one wins; a link to /dev/null masks it.
using DropIns = std::map<std::string, std::string>;

void AddDropIns(const std::string& root, const std::string& directory, DropIns& drop_ins) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root + directory, error)) {
    const std::string file = entry.path().filename().string();
    if (!absl::EndsWith(file, ".conf") || drop_ins.size() >= kMaxDropIns) continue;
    const std::string path = absl::StrCat(directory, "/", file);
    if (drop_ins.count(file) == 0) drop_ins.emplace(file, Resolve(root, path));
  }
}

DropIns FindDropIns(const std::string& root, const std::string& name) {
  DropIns drop_ins;
  for (const char* directory : kUnitDirectories) {
    for (const std::string& owner : DropInNames(name)) {
      AddDropIns(root, absl::StrCat(directory, "/", owner, ".d"), drop_ins);
    }
  }
  for (const char* directory : kUnitDirectories) {
    AddDropIns(root, absl::StrCat(directory, "/", name.substr(name.rfind('.') + 1), ".d"),
               drop_ins);
  }
  return drop_ins;
}

void AddFile(const std::string& root, const std::string& path, UnitFile& unit) {
  const auto text = ReadBoundedFile(root + path, kMaxFileBytes);
  if (!text.ok()) {
    unit.unreadable.push_back(std::string(text.status().message()));
    return;
  }
  unit.files.push_back(path);
  for (UnitSetting& setting : ParseUnitText(*text, path)) {
    unit.settings.push_back(std::move(setting));
  }
}

}  // namespace

std::vector<UnitSetting> ParseUnitText(absl::string_view text, const std::string& file) {
  std::vector<UnitSetting> settings;
  std::string section;
  std::string joined;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (absl::StartsWith(line, "#") || absl::StartsWith(line, ";")) continue;
    absl::StrAppend(&joined, line);
    if (!joined.empty() && joined.back() == '\\') {
      joined.back() = ' ';
      continue;
    }
    const std::string whole = std::move(joined);
    joined.clear();
    if (whole.size() > 2 && whole.front() == '[' && whole.back() == ']') {
      section = whole.substr(1, whole.size() - 2);
      continue;
    }
    const size_t equals = whole.find('=');
    if (equals == std::string::npos || equals == 0) continue;
    settings.push_back({section, std::string(absl::StripAsciiWhitespace(whole.substr(0, equals))),
                        std::string(absl::StripAsciiWhitespace(whole.substr(equals + 1))), file});
  }
  return settings;
}

absl::StatusOr<UnitFile> LoadUnit(const std::string& root, const std::string& name) {
  UnitFile unit;
  unit.name = absl::StrContains(name, '.') ? name : absl::StrCat(name, ".service");
  if (!IsUnitName(unit.name)) {
    return absl::InvalidArgumentError(absl::StrCat("no name of a unit: ", name));
  }
  Fragment fragment = FindFragment(root, unit.name);
  if (!fragment.found) {
    const std::string of_template = TemplateOf(unit.name);
    if (!of_template.empty()) fragment = FindFragment(root, of_template);
  }
  if (!fragment.found) {
    return absl::NotFoundError(absl::StrCat(unit.name, ": no such unit file",
                                            root.empty() ? "" : absl::StrCat(" in ", root)));
  }
  if (fragment.path.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(unit.name, ": is masked"));
  }
  AddFile(root, fragment.path, unit);
  for (const auto& [file, path] : FindDropIns(root, unit.name)) {
    if (!path.empty()) AddFile(root, path, unit);
  }
  return unit;
}

std::vector<UnitSetting> LoadManagerConfiguration(const std::string& root,
                                                  const std::string& name) {
  UnitFile configuration;
  DropIns drop_ins;
  bool found = false;
  for (const char* directory : kManagerDirectories) {
    const std::string path = absl::StrCat(directory, "/", name);
    if (!found && Exists(root + path)) {
      AddFile(root, path, configuration);
      found = true;
    }
    AddDropIns(root, path + ".d", drop_ins);
  }
  for (const auto& [file, path] : drop_ins) {
    if (!path.empty()) AddFile(root, path, configuration);
  }
  return configuration.settings;
}

std::string LastValue(const std::vector<UnitSetting>& settings, absl::string_view section,
                      absl::string_view key) {
  std::string value;
  for (const UnitSetting& setting : settings) {
    if (setting.section == section && setting.key == key) value = setting.value;
  }
  return value;
}

}  // namespace pagewarden
