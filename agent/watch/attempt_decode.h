// SPDX-License-Identifier: Apache-2.0
// From the kernel's wire format to an Attempt.
#pragma once

#include <linux/types.h>

#include <string>
#include <vector>

#include "agent/reasons/attempt.h"
#include "agent/watch/kernel_symbols.h"
#include "bpf/lock_attempt.h"

namespace pagewarden {

// The kernel functions that tell mechanisms apart; for KernelSymbols.
const std::vector<std::string>& MechanismFunctions();

// `sees_questions`: a hook on CAP_IPC_LOCK is attached, so that "not asked" is a fact.
Attempt DecodeAttempt(const lock_attempt& wire, const KernelSymbols& symbols, bool sees_questions);

}  // namespace pagewarden
