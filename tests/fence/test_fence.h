// SPDX-License-Identifier: Apache-2.0
// One fence for a test process.
#pragma once

#include <cstdlib>

#include "preload/fence/fence.h"
#include "preload/fence/fork.h"

namespace pagewarden {

inline constexpr uint32_t kTestTags = 2;

inline abi::ArenaEntry TestPolicy() {
  abi::ArenaEntry policy = {};
  policy.capacity_bytes = 1 << 20;
  policy.flags = abi::kArenaCanary | abi::kArenaExcludeFromCoreDump;
  policy.on_capacity_exhausted = abi::OnCapacityExhausted::kGrow;
  policy.backing[0] = abi::Backing::kLockedAnonymous;
  return policy;
}

inline Arena& OpenTestFence(const abi::ArenaEntry& policy) {
  void* page = nullptr;
  if (BuildFence(&policy, 1, 0, kTestTags, &page) == abi::Uncovered::kNoReservation) abort();
  if (!RegisterForkHandlers()) abort();
  WatchForks(page);
  return fence.arenas[0];
}

}  // namespace pagewarden
