// SPDX-License-Identifier: Apache-2.0
#include "agent/base/severity.h"

namespace pagewarden {

const char* SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "";
}

bool ParseSeverity(const std::string& name, Severity& severity) {
  for (const Severity candidate : {Severity::kInfo, Severity::kWarning, Severity::kError}) {
    if (name != SeverityName(candidate)) continue;
    severity = candidate;
    return true;
  }
  return false;
}

}  // namespace pagewarden
