// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/recommend.h"

#include <algorithm>

namespace pagewarden {
namespace {

constexpr uint64_t kLimitGranule = 64 << 10;
// More than this is not a plan.
constexpr uint64_t kMaxNeedBytes = uint64_t{1} << 62;

uint64_t CappedSum(uint64_t a, uint64_t b) {
  return a > kMaxNeedBytes || b > kMaxNeedBytes ? kMaxNeedBytes : std::min(a + b, kMaxNeedBytes);
}

// Secret memory is in VmLck on some kernels only, so all of it is taken as still to come.
uint64_t UnlockedPart(const ShimArena& arena) {
  if (arena.backing == abi::ArenaBacking::kSecretMemory) return arena.capacity_bytes;
  return arena.capacity_bytes - std::min(arena.locked_bytes, arena.capacity_bytes);
}

void AddArenas(const ShimState& shim, LimitNeed& need) {
  for (const ShimArena& arena : shim.arenas) {
    if (!arena.IsInherited()) continue;
    need.unlocked_arena_bytes = CappedSum(need.unlocked_arena_bytes, UnlockedPart(arena));
    if (arena.growths > 0) {
      need.arena_growth_bytes = CappedSum(need.arena_growth_bytes, arena.capacity_bytes);
    }
  }
}

// A refusal compares the whole user's counter with the caller's limit, so who holds
// part of it needs a limit for all of it. Not perf: its buffers have a budget of their own.
uint64_t UidBytesOf(pid_t pid, const UidResidue& uid) {
  uint64_t bytes = 0;
  for (const ResidueHolder& holder : uid.holders) {
    if (holder.pid == pid && holder.kind != "perf") bytes = uid.residue_bytes;
  }
  for (const LockedSegment& segment : uid.segments) {
    if (segment.creator_pid == pid) bytes = std::max(bytes, uid.shm_locked_bytes);
  }
  return bytes;
}

}  // namespace

uint64_t LimitNeed::locked_need() const {
  return CappedSum(CappedSum(std::max(peak_locked_bytes, future_bytes), unlocked_arena_bytes),
                   arena_growth_bytes);
}

uint64_t LimitNeed::need() const {
  return std::min(std::max({locked_need(), pinned_bytes, uid_bytes}), kMaxNeedBytes);
}

LimitNeed NeedOf(const ProcessRow& row, const Peak& peak, const UidResidue* uid) {
  LimitNeed need;
  need.pid = row.pid;
  need.comm = row.comm;
  need.peak_locked_bytes = std::max(row.locked_bytes, peak.bytes);
  need.peak_exact = peak.exact && peak.bytes >= row.locked_bytes;
  need.pinned_bytes = row.pinned_bytes;
  if (row.locks_future.value_or(false)) need.future_bytes = row.peak_total_bytes;
  if (uid != nullptr) need.uid_bytes = UidBytesOf(row.pid, *uid);
  if (row.shim) AddArenas(*row.shim, need);
  return need;
}

Recommendation Recommend(const LimitNeed& largest) {
  Recommendation result;
  result.largest = largest;
  const uint64_t need = largest.need();
  result.headroom_bytes = need / 4 + (need % 4 != 0);
  result.limit_bytes =
      (need + result.headroom_bytes + kLimitGranule - 1) / kLimitGranule * kLimitGranule;
  return result;
}

}  // namespace pagewarden
