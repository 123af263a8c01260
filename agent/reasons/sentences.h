// SPDX-License-Identifier: Apache-2.0
// The explanations of verdicts: one sentence, without a full stop, numbers in bytes and KiB.
#pragma once

#include <string>

#include "agent/reasons/attempt.h"
#include "agent/reasons/comparison.h"
#include "agent/reasons/reason.h"

namespace pagewarden {

// The verdict of a refusal by the limit, with its details.
Verdict OverLimitVerdict(const Attempt& attempt, const Comparison& comparison);

// Over the limit and allowed: "would be refused without CAP_IPC_LOCK".
Verdict BypassVerdict(const Attempt& attempt, const Comparison& comparison);

// Of all other reasons, which need no comparison.
Verdict PlainVerdict(const Attempt& attempt, Reason reason);

}  // namespace pagewarden
