// SPDX-License-Identifier: Apache-2.0
// The findings that `run` warns of, too: one place for their words.
#pragma once

#include <string>

#include "agent/doctor/finding.h"
#include "agent/proc/status.h"
#include "agent/run/elf_summary.h"

namespace pagewarden {

// PW007; `reason` as SecureExecReason gives it.
Finding SecureExecutionFinding(const std::string& subject, const std::string& reason);
// PW009: another machine or word size.
Finding OtherMachineFinding(const std::string& subject, const ElfSummary& elf);
// PW010.
Finding StaticFinding(const std::string& subject, const ElfSummary& elf);
// PW003 for a policy: `needed` bytes in each process.
Finding PolicyLimitFinding(const std::string& subject, uint64_t needed, bool may_grow,
                           const MemlockLimits& limits);
// PW017 for an arena that prefers SecretMemory.
Finding SecretMemoryFinding(const std::string& arena, bool has_other_backing);

}  // namespace pagewarden
