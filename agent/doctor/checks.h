// SPDX-License-Identifier: Apache-2.0
// The questions that the doctor asks of a case, each with its own file or function.
// All are pure functions of the case: what they need was read before.
#pragma once

#include <string>
#include <vector>

#include "agent/doctor/case.h"
#include "agent/doctor/finding.h"
#include "agent/reasons/reason.h"

namespace pagewarden {

using Findings = std::vector<Finding>;

// Whether the need is granted: limit, capability, user namespace, drift, unit.
Findings CheckLimit(const Case& subject);
// What other counters leave: SHM_LOCK.
Findings CheckOtherCounters(const Case& subject);
// Whether the loader will map the shim, or did.
Findings CheckPreload(const Case& subject);
// Static programs and those in secure execution: what protects them instead.
Findings CheckExec(const Case& subject);
Findings CheckSeccomp(const Case& subject);
Findings CheckMemoryCgroup(const Case& subject);
Findings CheckMapCount(const Case& subject);
// mlockall with the limit near.
Findings CheckFutureLocks(const Case& subject);
// An allocator whose pages the kernel will not take back, as all memory is locked.
Findings CheckPurgedRange(const Case& subject);
// The shim's books: arenas that are not locked in this process.
Findings CheckArenas(const Case& subject);

struct Check {
  const char* question;  // for "nothing found: looked at …"
  Findings (*run)(const Case&);
};

// In the order in which they are asked.
const std::vector<Check>& CaseChecks();

// A refusal, seen or imagined, as findings; empty for what was granted. `observed`: the
// call happened.
Findings FindingsOfVerdict(const Case& subject, const Attempt& attempt, const Verdict& verdict,
                           bool observed);

// Which code stands for a reason: the table of docs/doctor.md.
FindingCode CodeOf(Reason reason);

}  // namespace pagewarden
