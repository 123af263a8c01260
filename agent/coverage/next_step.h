// SPDX-License-Identifier: Apache-2.0
// The sentence that goes with an assessment: the cause, and what to do about it where the
// process runs.
#pragma once

#include <string>

#include "agent/audit/process_row.h"
#include "agent/coverage/assessment.h"
#include "agent/doctor/environment/environment.h"

namespace pagewarden {

// `prepared`: its unit starts it under `pagewarden run` by now.
std::string CoverageText(const Assessment& assessment, const ProcessRow& row,
                         const AllocationPolicy& policy, const Environment& environment,
                         bool prepared);

}  // namespace pagewarden
