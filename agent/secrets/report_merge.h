// SPDX-License-Identifier: Apache-2.0
// What is known of secrets when some processes were looked at, and while targets change.
#pragma once

#include "agent/secrets/secret_check.h"
#include "agent/secrets/secret_report.h"

namespace pagewarden {

// Puts what a check of some processes has found into the report of a complete one: their copies
// take the place of those that it has of them. Their errors are added where it has none of the
// file and reason; that a secret was not found in them says nothing of the others. The time
// stays that of the complete check.
void AddToReport(const PidsByPolicy& checked, SecretReport found, SecretReport& report);

// What is still true of the report.
SecretReport CurrentReport(SecretReport report, const SecretTargets& targets);

}  // namespace pagewarden
