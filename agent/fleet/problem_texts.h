// SPDX-License-Identifier: Apache-2.0
// How numbers, reasons and next commands read.
#pragma once

#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace pagewarden {

// "64 KiB"; "unlimited" where infinite; values come from a server and may be anything.
std::string FleetBytes(double bytes);

// "3", "1 process" is not its concern. Whole numbers without a fraction, rounded up otherwise:
// increase() extrapolates, and 0.8 of a refusal is one.
std::string FleetCount(double count);

// "113%".
std::string FleetPercent(double ratio);

// "3m", "2h": the largest unit that fits.
std::string FleetAge(double seconds);

// "rlimit 2, lsm 1", the highest count first; empty: none. Words are made printable.
std::string ReasonCounts(const std::map<std::string, double>& by_reason);

// The command a host's operator runs about a cgroup: `--unit` where the path names a service,
// else the path, quoted; empty where the path cannot be typed.
std::string DoctorCommand(absl::string_view cgroup);
std::string AuditCommand(absl::string_view cgroup);

// The innermost service of the host's systemd that the cgroup is in or below: empty where there
// is none, within a container, or of a user's own manager.
std::string ServiceOf(absl::string_view cgroup);

}  // namespace pagewarden
