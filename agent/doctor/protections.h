// SPDX-License-Identifier: Apache-2.0
// What protects the memory of a program that no preload can reach: no swap for its
// cgroup, encrypted swap, no core dumps. Says which are in force already.
#pragma once

#include "agent/doctor/case.h"

namespace pagewarden {

// Fills finding.in_force and finding.fixes.
void AddProtections(const Case& subject, Finding& finding);

// Whether a crash would write its memory somewhere.
bool DumpsCore(const Case& subject);
bool DumpsCore(const HostFacts& host, const CoreDumpFacts& facts);

// Whether its memory can come to lie on a disk in clear by swapping.
bool SwapsInClear(const Case& subject);

}  // namespace pagewarden
