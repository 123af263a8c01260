// SPDX-License-Identifier: Apache-2.0
// A systemd unit as its files describe it, for one that is not running (systemd.unit(5)).
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace pagewarden {

struct UnitFile {
  std::string executable;  // of the last ExecStart= that counts; empty: none
  std::string cgroup;      // where systemd would put it: /system.slice/NAME, or by Slice=
};

// Reads the unit and its drop-ins (NAME.d/*.conf) from /etc, /run, /usr/lib and
// /lib/systemd/system below `root`; of NAME@INSTANCE those of NAME@. NotFound: no such unit.
// Specifiers are not expanded, and generators not run.
absl::StatusOr<UnitFile> ReadUnitFile(const std::string& unit, const std::string& root = "");

// "a-b.slice" → "/a.slice/a-b.slice" (systemd.slice(5)).
std::string CgroupOfSlice(const std::string& slice);

}  // namespace pagewarden
