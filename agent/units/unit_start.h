// SPDX-License-Identifier: Apache-2.0
// What a systemd unit would start, and in which cgroup, for one that is not running.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace pagewarden {

struct UnitStart {
  std::string executable;  // of the last ExecStart= that counts; empty: none
  std::string cgroup;      // where systemd would put it: /system.slice/NAME, or by Slice=
};

// Errors and `root` are those of LoadUnit. Specifiers are not expanded, and generators
// not run.
absl::StatusOr<UnitStart> ReadUnitStart(const std::string& unit, const std::string& root = "");

// "a-b.slice" → "/a.slice/a-b.slice" (systemd.slice(5)).
std::string CgroupOfSlice(const std::string& slice);

}  // namespace pagewarden
