// SPDX-License-Identifier: Apache-2.0
// What the kernel lets this process lock and map.
#pragma once

#include <stdint.h>

namespace pagewarden {

inline constexpr uint64_t kUnlimited = UINT64_MAX;

// RLIMIT_MEMLOCK; kUnlimited also with CAP_IPC_LOCK, which mlock(2) asks for.
// (In a user namespace that capability counts for nothing: the kernel then
// refuses what this promises.)
uint64_t LockableBytes();

// Whether the first is so by RLIMIT_MEMLOCK itself, which a change of user leaves alone.
bool LimitIsInfinite();

// Whether nothing is ever refused for the limit, not even in a user namespace.
bool LocksWithoutLimit();

// RLIMIT_STACK, of the main thread.
uint64_t StackBytes();

// RLIMIT_AS.
uint64_t AddressSpaceBytes();

}  // namespace pagewarden
