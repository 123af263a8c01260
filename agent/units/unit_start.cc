// SPDX-License-Identifier: Apache-2.0
#include "agent/units/unit_start.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/units/unit_file.h"

namespace pagewarden {
namespace {

// systemd.service(5): "@-:+!" before the path have meanings of their own.
std::string ExecutableOf(absl::string_view command) {
  const size_t path = command.find_first_not_of("@-:+! ");
  if (path == absl::string_view::npos) return "";
  command.remove_prefix(path);
  return std::string(command.substr(0, command.find_first_of(" \t")));
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

absl::StatusOr<UnitStart> ReadUnitStart(const std::string& unit, const std::string& root) {
  const absl::StatusOr<UnitFile> file = LoadUnit(root, unit);
  if (!file.ok()) return file.status();
  std::string slice = LastValue(file->settings, "Service", "Slice");
  if (slice.empty()) slice = "system.slice";
  return UnitStart{ExecutableOf(LastValue(file->settings, "Service", "ExecStart")),
                   absl::StrCat(CgroupOfSlice(slice), "/", file->name)};
}

}  // namespace pagewarden
