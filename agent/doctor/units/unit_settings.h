// SPDX-License-Identifier: Apache-2.0
// What the settings of a service give its processes (systemd.exec(5),
// systemd.resource-control(5)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/doctor/filter_probe.h"
#include "agent/units/unit_file.h"
#include "agent/proc/status.h"

namespace pagewarden {

struct UnitSettings {
  MemlockLimits memlock;
  std::string memlock_source;  // the file that sets it, or "DefaultLimitMEMLOCK"
  uint64_t ambient = 0;        // capabilities
  uint64_t bounding = 0;
  bool has_bounding_set = false;      // CapabilityBoundingSet= is given
  std::optional<FilterProbe> filter;  // SystemCallFilter=: what it says to calls that lock
  bool no_new_privs = false;
  std::optional<uint64_t> memory_max;
  bool swap_off = false;              // MemorySwapMax=0
  bool core_off = false;              // LimitCORE=0
  bool private_users = false;         // a user namespace of its own
  std::string user;                   // empty: root
  std::vector<std::string> command;   // of the first ExecStart=
  std::vector<std::string> problems;  // "FILE: LimitMEMLOCK=12Q is no limit"

  bool IsRoot() const { return user.empty() || user == "root" || user == "0"; }
  // Whether its processes start with CAP_IPC_LOCK effective.
  bool HasIpcLock() const;
};

UnitSettings ReadUnitSettings(const std::string& root, const UnitFile& unit);

// "64M" → 67108864, "infinity" → no limit, "8M:16M" → soft and hard. False: no limit.
bool ParseUnitLimit(absl::string_view text, MemlockLimits& limits);

// The mask of names like "CAP_IPC_LOCK CAP_SYS_ADMIN"; unknown ones are left out.
uint64_t ParseCapabilities(absl::string_view names);

}  // namespace pagewarden
