// SPDX-License-Identifier: Apache-2.0
// Says before the start what would silently leave a program unfenced. None of
// this is fatal: the program runs, and the audit shows it as uncovered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/doctor/finding.h"
#include "agent/policy/model.h"
#include "agent/proc/status.h"

namespace pagewarden {

// Whether the loader will map the shim into this executable.
std::vector<Finding> CheckPreloadable(const std::string& executable);

struct MemlockNeed {
  uint64_t bytes_at_start = 0;
  bool may_grow = false;  // onCapacityExhausted: Grow, which no limit is too small for
};

// Whether that much can be locked in each process, with the soft limit raised to
// the hard one. `can_exceed`: the program will have a CAP_IPC_LOCK that the kernel
// honours. nullopt: it fits.
std::optional<Finding> CheckMemlock(const std::string& executable, const MemlockNeed& need,
                                    const MemlockLimits& limits, bool can_exceed);

// What became of the policy's `backing: SecretMemory` on this kernel; nullopt when it
// names none, or when the kernel has it.
std::optional<Finding> CheckSecretMemory(const AllocationPolicy& policy);

// Whether a program this process executes keeps an effective CAP_IPC_LOCK in the
// initial user namespace: the only one mm/mlock.c looks at.
bool WillHaveUsableIpcLock();

// Raises this process's soft RLIMIT_MEMLOCK to the hard one.
void RaiseMemlockLimit();

}  // namespace pagewarden
