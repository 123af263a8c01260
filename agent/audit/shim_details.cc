// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/shim_details.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "agent/proc/status.h"

namespace pagewarden {
namespace {

constexpr char kShimName[] = "libpagewarden.so";

uint64_t CappedSum(uint64_t a, uint64_t b) {
  return a + std::min(b, std::numeric_limits<uint64_t>::max() - a);
}

// Of a library that it may not execute (a mount with noexec) the loader leaves the first
// segment behind, which is readable only.
bool IsShim(const Mapping& mapping) {
  return mapping.executable && absl::StrContains(mapping.name, kShimName);
}

bool IsLockedAnonymous(const ShimArena& arena) {
  return arena.backing == abi::ArenaBacking::kLockedAnonymous;
}

// The row may be older than the ledger: only a fresh VmLck disproves it. smaps is
// read for those few alone, as it walks page tables.
absl::Status CompareLocks(pid_t pid, uint64_t locked_bytes, ShimState& shim) {
  const uint64_t claimed = CappedSum(LockedByLedger(shim), shim.pinned_bytes);
  if (claimed <= locked_bytes) return absl::OkStatus();
  const auto status = ReadStatus(pid);
  if (!status.ok()) return status.status();
  if (claimed <= status->locked_bytes) return absl::OkStatus();
  const auto mappings = ReadMappings(pid);
  if (!mappings.ok()) return mappings.status();
  KeepRealLocks(*mappings, shim);
  KeepRealPins(status->locked_bytes, shim);
  return absl::OkStatus();
}

absl::Status AddState(ProcessRow& row, bool last_attempt) {
  const pid_t task = TaskWithMemory(row.pid);
  const auto mappings = ReadMappingsWithoutFlags(task);
  if (!mappings.ok()) return mappings.status();
  row.shim_loaded = std::any_of(mappings->begin(), mappings->end(), IsShim);
  if (!row.shim_loaded) return absl::OkStatus();
  auto state = ReadShimState(task, *mappings);
  if (absl::IsDataLoss(state.status())) {
    // Mappings and ledger are two reads; a shim that was just starting has moved on.
    if (!last_attempt) return AddState(row, true);
    row.shim_loaded = true;
    return absl::OkStatus();
  }
  if (!state.ok()) return state.status();
  row.shim_loaded = state->has_value();
  row.shim = *std::move(state);
  return row.shim ? CompareLocks(task, row.locked_bytes, *row.shim) : absl::OkStatus();
}

}  // namespace

uint64_t LockedByLedger(const ShimState& shim) {
  uint64_t bytes = 0;
  for (const ShimArena& arena : shim.arenas) {
    if (!IsLockedAnonymous(arena)) continue;
    bytes = CappedSum(bytes, arena.locked_bytes);
  }
  return bytes;
}

void KeepRealLocks(const std::vector<Mapping>& mappings, ShimState& shim) {
  for (ShimArena& arena : shim.arenas) {
    if (!IsLockedAnonymous(arena)) continue;
    uint64_t locked = 0;
    for (const Mapping& mapping : mappings) {
      if (!mapping.locked) continue;
      const uint64_t start = std::max(arena.base, mapping.start);
      const uint64_t end = std::min(arena.base + arena.capacity_bytes, mapping.end);
      if (start < end) locked += end - start;
    }
    arena.locked_bytes = std::min(arena.locked_bytes, locked);
  }
}

void KeepRealPins(uint64_t locked_bytes, ShimState& shim) {
  const uint64_t of_arenas = std::min(LockedByLedger(shim), locked_bytes);
  const uint64_t real = std::min(shim.pinned_bytes, locked_bytes - of_arenas);
  // Nothing is locked in the child of a raw clone, which nobody told the shim of. Else
  // the C library has unmapped something, which nobody told it either.
  if (locked_bytes == 0) shim.unpinned_bytes = CappedSum(shim.unpinned_bytes, shim.pinned_bytes);
  shim.pinned_bytes = real;
}

absl::StatusOr<bool> MapsShim(pid_t pid) {
  auto mappings = ReadMappingsWithoutFlags(pid);
  if (mappings.ok() && mappings->empty()) mappings = ReadMappingsWithoutFlags(TaskWithMemory(pid));
  if (!mappings.ok()) return mappings.status();
  return std::any_of(mappings->begin(), mappings->end(), IsShim);
}

absl::Status AddShimState(ProcessRow& row) {
  const absl::Status status = AddState(row, /*last_attempt=*/false);
  row.shim_unreadable = row.shim_loaded && !status.ok();
  return status;
}

}  // namespace pagewarden
