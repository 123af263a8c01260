// SPDX-License-Identifier: Apache-2.0
// Puts together what the checks look at.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/doctor/case.h"
#include "agent/doctor/doctor.h"
#include "agent/doctor/units/unit_settings.h"

namespace pagewarden {

absl::StatusOr<Case> CaseOfProcess(pid_t pid, const CgroupHierarchy* hierarchy,
                                   const HostFacts& host, const DoctorOptions& options);

absl::StatusOr<Case> CaseOfCommand(const std::vector<std::string>& command,
                                   const CgroupHierarchy* hierarchy, const HostFacts& host,
                                   const DoctorOptions& options);

// The unit's first process as systemd will start it.
absl::StatusOr<Case> CaseOfUnit(const UnitFile& unit, const UnitSettings& settings,
                                const HostFacts& host, const DoctorOptions& options);

// The facts of a case in a line.
std::string DescribeFacts(const Case& subject);

}  // namespace pagewarden
