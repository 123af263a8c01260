// SPDX-License-Identifier: Apache-2.0
// Attempts for the tests of agent/reasons: an unprivileged process under 64 KiB.
#pragma once

#include <linux/capability.h>

#include <cstdint>

#include "agent/reasons/attempt.h"

namespace pagewarden {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;
constexpr uint64_t kIpcLock = uint64_t{1} << CAP_IPC_LOCK;
constexpr uint64_t kAllCapabilities = (uint64_t{1} << 41) - 1;

inline Attempt AttemptOf(LockCall call, int64_t result, uint64_t request_bytes) {
  Attempt attempt;
  attempt.call = call;
  attempt.result = result;
  attempt.request_bytes = request_bytes;
  attempt.soft_limit_bytes = 64 * kKiB;
  attempt.hard_limit_bytes = 64 * kKiB;
  attempt.total_bytes = 2 * kMiB;
  attempt.cap_bounding = kAllCapabilities;
  return attempt;
}

// As seen by a hook on the capability, which is refused `times` times.
inline Attempt Refused(Attempt attempt, int times) {
  attempt.capability_asked = times > 0;
  attempt.capability_refusals = times;
  return attempt;
}

}  // namespace pagewarden
