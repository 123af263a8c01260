// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/observations.h"

namespace pagewarden {

uint64_t DenialCounts::Total() const {
  uint64_t total = 0;
  for (const auto& [reason, count] : by_reason) total += count;
  return total;
}

void DenialCounts::Add(const DenialCounts& other) {
  for (const auto& [reason, count] : other.by_reason) by_reason[reason] += count;
  privileged_bypasses += other.privileged_bypasses;
  guard_hits += other.guard_hits;
}

}  // namespace pagewarden
