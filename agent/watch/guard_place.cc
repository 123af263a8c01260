// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/guard_place.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace pagewarden {
namespace {

constexpr uint64_t kGuardBytes = 4096;

bool IsIn(uint64_t address, uint64_t base, uint64_t bytes) {
  return address >= base && address - base < bytes;
}

}  // namespace

std::string GuardPlace(const ShimState& shim, uint64_t address) {
  if (!IsIn(address, shim.fence_base, shim.fence_bytes)) return "";
  const ShimArena* below = nullptr;
  const ShimArena* above = nullptr;
  for (const ShimArena& arena : shim.arenas) {
    if (IsIn(address, arena.base, arena.capacity_bytes)) {
      return absl::StrCat("inside arena ", arena.name);
    }
    if (arena.base <= address && (below == nullptr || arena.base > below->base)) below = &arena;
    if (arena.base > address && (above == nullptr || arena.base < above->base)) above = &arena;
  }
  if (below == nullptr) {
    if (above == nullptr || address - shim.fence_base < kGuardBytes) return "before the tables";
    return absl::StrCat("before arena ", above->name);
  }
  // What lies between an arena's end and the next guard is room for it to grow.
  if (above != nullptr && above->base - address <= kGuardBytes) {
    return absl::StrCat("between arenas ", below->name, " and ", above->name);
  }
  return absl::StrCat("after arena ", below->name);
}

}  // namespace pagewarden
