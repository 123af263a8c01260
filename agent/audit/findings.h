// SPDX-License-Identifier: Apache-2.0
// What in a report needs somebody's attention, so that nobody has to look for it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "agent/audit/report.h"
#include "agent/base/severity.h"

namespace pagewarden {

struct AuditFinding {
  Severity severity = Severity::kInfo;
  // Stable words: "corruption", "uncovered", "pending", "denied", "limit-near", "bypass", "drift",
  // "limit-units", "capability-in-user-namespace", "capability-not-effective",
  // "counters-differ", "guard-hit".
  std::string code;
  pid_t pid = 0;       // 0: not of one process
  std::string cgroup;  // empty: of a user
  std::string text;    // one sentence with the numbers, without the name of the subject
};

// A soft limit that is likely a mistake: above 0 and below what anything ships with.
bool HasOddLimit(const ProcessRow& row);

// Most severe first, then by pid. Only what `report` shows: a single snapshot has no denials.
std::vector<AuditFinding> FindingsOf(const AuditReport& report);

// nullopt: there are none.
std::optional<Severity> WorstOf(const std::vector<AuditFinding>& findings);

}  // namespace pagewarden
