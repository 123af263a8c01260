// SPDX-License-Identifier: Apache-2.0
// How much a program is to lock.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/doctor/case.h"
#include "agent/doctor/doctor.h"
#include "agent/policy/surroundings.h"

namespace pagewarden {

// --need; else what the policy for the program there locks at its start. InvalidArgument: the
// policies are wrong, with all their errors.
absl::StatusOr<Need> NeedOf(const Surroundings& where, const DoctorOptions& options);

// Of a running process: what its shim has not locked yet, where it has one.
void SubtractWhatIsLocked(const ProcessFacts& facts, Need& need);

}  // namespace pagewarden
