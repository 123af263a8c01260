// SPDX-License-Identifier: Apache-2.0
// Unit files of the system's systemd and their drop-ins, read as systemd reads them
// (systemd.unit(5)): of a host, whether or not systemd runs, or of an image.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

struct UnitSetting {
  std::string section;
  std::string key;
  std::string value;
  std::string file;  // it comes from
};

struct UnitFile {
  std::string name;
  std::vector<std::string> files;     // the unit file first, then its drop-ins
  std::vector<UnitSetting> settings;  // in the order in which they count
  std::vector<std::string> unreadable;
};

// `name` without a suffix is a service. `root`: "" or where an image is unpacked; its
// links are followed inside of it. NotFound: no such unit. FailedPrecondition: masked.
// InvalidArgument: not a name of a unit.
absl::StatusOr<UnitFile> LoadUnit(const std::string& root, const std::string& name);

// "Section", "Key=value", comments, lines continued by a backslash.
std::vector<UnitSetting> ParseUnitText(absl::string_view text, const std::string& file);

// Settings of a configuration file in /etc/systemd, /run/systemd, /usr/lib/systemd and
// of its drop-ins: "system.conf".
std::vector<UnitSetting> LoadManagerConfiguration(const std::string& root, const std::string& name);

// The last value of a key; empty: not set.
std::string LastValue(const std::vector<UnitSetting>& settings, absl::string_view section,
                      absl::string_view key);

}  // namespace pagewarden
