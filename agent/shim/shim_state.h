// SPDX-License-Identifier: Apache-2.0
// What libpagewarden.so did in another process: its ledger, validated.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/proc/mappings.h"

namespace pagewarden {

struct ShimArena {
  std::string name;
  uint64_t base = 0;
  uint64_t capacity_bytes = 0;
  uint64_t used_bytes = 0;
  uint64_t peak_used_bytes = 0;
  uint64_t locked_bytes = 0;
  uint64_t live_allocations = 0;
  uint64_t total_allocations = 0;
  uint64_t fallbacks = 0;  // all reasons
};

struct ShimState {
  std::string policy;  // empty: none selected
  std::string mode;    // "Disabled", "Audit", "Enforce"
  bool active = false;
  std::string uncovered;  // empty, or the reason in the words of docs/ledger
  uint64_t fence_base = 0;
  uint64_t fence_bytes = 0;
  std::vector<ShimArena> arenas;
};

// Finds and validates the ledger of `pid`. nullopt: the shim is not loaded.
// DataLoss: there is one, but its contents break the contract of
// preload/abi/ledger.h (every offset, count and range is checked; text is
// limited to printable ASCII).
absl::StatusOr<std::optional<ShimState>> ReadShimState(pid_t pid,
                                                       const std::vector<Mapping>& mappings);

}  // namespace pagewarden
