// SPDX-License-Identifier: Apache-2.0
// The one table of the doctor's codes. They are stable: a code is never given
// another meaning, and is not used again when it is gone.
#pragma once

#include <string>
#include <vector>

#include "agent/base/severity.h"

namespace pagewarden {

// PW001 is 1, and so on.
enum class FindingCode {
  kLockingForbidden = 1,
  kSoftLimit,
  kHardLimit,
  kCapInUserNamespace,
  kCapNotEffective,
  kExecRefused,
  kSecureExecution,
  kSecureExecutionNoNewPrivs,
  kShimNotLoadable,
  kStaticProgram,
  kPageInFailed,
  kRangeNotPopulated,
  kMapCount,
  kMemoryCgroup,
  kSeccompErrno,
  kSeccompKill,
  kNoSecretMemory,
  kAppArmor,
  kSelinux,
  kNotInherited,
  kFutureLocks,
  kPurgedRange,
  kOtherCounters,
  kLimitsConfIgnored,
  kUnlimited,
  kNoSwap,
  kPlainSwap,
  kHibernation,
  kCoreDumps,
  kSuidDumpable,
  kUnitMixUp,
  kDrift,
  kPrivilegedBypass,
  kAddressSpace,
  kSecretMemoryBudget,
  kNotOwner,
  kPartialLock,
  kCompressedSwap,
  kBadCall,
  kHugetlb,
  kUnexplained,
};

struct CodeEntry {
  FindingCode code;
  Severity severity;  // the usual one; a finding may differ
  const char* title;  // what is seen
  const char* why;    // the cause, in one sentence
  const char* fix;    // in short; the finding has it in full, for its environment
};

const std::vector<CodeEntry>& AllCodes();
const CodeEntry& EntryOf(FindingCode code);

std::string CodeName(FindingCode code);  // "PW003"

// All codes as a table in Markdown, as docs/doctor.md has it.
std::string CodesAsMarkdown();

}  // namespace pagewarden
