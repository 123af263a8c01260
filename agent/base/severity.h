// SPDX-License-Identifier: Apache-2.0
// How much a finding matters, of the audit's and of the doctor's.
#pragma once

#include <string>

namespace pagewarden {

enum class Severity { kInfo, kWarning, kError };

const char* SeverityName(Severity severity);  // "info", "warning", "error"

// False: no such word; `severity` is left as it is.
bool ParseSeverity(const std::string& name, Severity& severity);

}  // namespace pagewarden
