// SPDX-License-Identifier: Apache-2.0
#include "preload/fence.h"

#include "preload/ledger.h"
#include "preload/mem.h"
#include "preload/report.h"
#include "preload/sys.h"

namespace pagewarden {

PW_SEALED Fence fence = {};

namespace {

constexpr uint64_t kGuardBytes = kPageBytes;
constexpr int kLimitMemlock = 8;

uint64_t RoundUp(uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }

struct Layout {
  uint64_t records_bytes = 0;
  uint64_t total_bytes = 0;
};

Layout Plan(const PolicyImage& image, abi::Range arenas) {
  Layout layout;
  layout.records_bytes = arenas.count * sizeof(Arena);
  for (uint32_t i = 0; i < arenas.count; ++i) {
    const uint64_t capacity = image.arena(arenas.first + i).capacity_bytes;
    layout.records_bytes += capacity / kPageBytes * sizeof(PageRecord);
    layout.total_bytes += capacity + kGuardBytes;
  }
  layout.records_bytes = RoundUp(layout.records_bytes);
  layout.total_bytes += layout.records_bytes + 2 * kGuardBytes;
  return layout;
}

uint64_t SoftMemlockLimit() {
  struct {
    uint64_t soft, hard;
  } limit = {};
  const long result = sys::Call(__NR_prlimit64, 0, kLimitMemlock, 0, sys::Arg(&limit));
  return sys::Failed(result) ? 0 : limit.soft;
}

void CountLockError(long error) {
  Count(ledger.lock_errors);
  ledger.lock_errno = static_cast<uint32_t>(-error);
}

bool TryLock(const unsigned char* base, uint64_t bytes) {
  if (bytes == 0) return false;
  const long result = sys::LockOnFault(base, bytes);
  if (sys::Failed(result)) CountLockError(result);
  return !sys::Failed(result);
}

// The whole arena, else what the limit leaves, else less: a small locked arena
// beats a large one that may be swapped. `held` is what was locked before.
uint64_t LockWhatFits(const unsigned char* base, uint64_t capacity, uint64_t held) {
  if (TryLock(base, capacity)) return capacity;
  const uint64_t limit = SoftMemlockLimit() / kPageBytes * kPageBytes;
  uint64_t attempt = limit > held ? limit - held : 0;
  if (attempt > capacity) attempt = capacity;
  for (; attempt != 0; attempt = attempt / 2 / kPageBytes * kPageBytes)
    if (TryLock(base, attempt)) return attempt;
  return 0;
}

void FillKey(CanaryKey& key) {
  if (sys::GetRandom(&key, sizeof(key)) == static_cast<long>(sizeof(key))) return;
  // A filtered getrandom leaves the address layout and the clock.
  key.words[0] = reinterpret_cast<uint64_t>(&key) ^ __builtin_ia32_rdtsc();
  key.words[1] = fence.base * 0x9e3779b97f4a7c15u ^ __builtin_ia32_rdtsc();
}

// Maps one arena's pages and locks them; returns how many bytes are usable.
uint64_t OpenArena(unsigned char* base, const abi::ArenaEntry& policy, uint64_t held,
                   abi::LedgerArena& book) {
  if (sys::Failed(sys::Protect(base, policy.capacity_bytes, kProtRead | kProtWrite))) return 0;
  if ((policy.flags & abi::kArenaExcludeFromCoreDump) != 0)
    sys::Advise(base, policy.capacity_bytes, MADV_DONTDUMP);
  const uint64_t locked = LockWhatFits(base, policy.capacity_bytes, held);
  book.base = reinterpret_cast<uint64_t>(base);
  book.capacity_bytes = policy.capacity_bytes;
  book.locked_bytes = locked;
  // Wiping, guards and no core dump still help where nothing can be locked.
  return locked != 0 ? locked : policy.capacity_bytes;
}

abi::Uncovered OpenArenas(const PolicyImage& image, abi::Range arenas, unsigned char* records,
                          uint64_t records_bytes) {
  if (sys::Failed(sys::Protect(records, records_bytes, kProtRead | kProtWrite)))
    return abi::Uncovered::kNoReservation;
  fence.arenas = reinterpret_cast<Arena*>(records);
  fence.arena_count = arenas.count;
  auto* next_record = reinterpret_cast<PageRecord*>(records + arenas.count * sizeof(Arena));
  unsigned char* next_arena = records + records_bytes + kGuardBytes;
  uint64_t locked = 0;
  for (uint32_t i = 0; i < arenas.count; ++i) {
    const abi::ArenaEntry& policy = image.arena(arenas.first + i);
    abi::LedgerArena& book = ledger.arenas[i];
    CopyText(book.name, sizeof(book.name), image.text(policy.name), policy.name.bytes);
    const uint64_t usable = OpenArena(next_arena, policy, locked, book);
    locked += book.locked_bytes;
    fence.arenas[i].Init(next_arena, static_cast<uint32_t>(usable / kPageBytes), next_record, policy,
                         &fence.key, &book);
    next_record += policy.capacity_bytes / kPageBytes;
    next_arena += policy.capacity_bytes + kGuardBytes;
  }
  ledger.arena_count = arenas.count;
  return locked != 0 ? abi::Uncovered::kNone : abi::Uncovered::kLockFailed;
}

}  // namespace

abi::Uncovered BuildFence(const PolicyImage& image, const abi::PolicyEntry& policy) {
  const Layout layout = Plan(image, policy.arenas);
  const long at = sys::Reserve(layout.total_bytes);
  if (sys::Failed(at)) return abi::Uncovered::kNoReservation;
  auto* records = reinterpret_cast<unsigned char*>(at) + kGuardBytes;
  fence.base = static_cast<uint64_t>(at);
  FillKey(fence.key);
  const abi::Uncovered verdict =
      OpenArenas(image, policy.arenas, records, layout.records_bytes);
  fence.bytes = layout.total_bytes;
  ledger.fence_base = fence.base;
  ledger.fence_bytes = fence.bytes;
  return verdict;
}

Arena& Fence::ArenaOf(const void* block) const {
  for (uint32_t i = 0; i < arena_count; ++i)
    if (arenas[i].Owns(block)) return arenas[i];
  Die("free of a pointer between the arenas", nullptr);
}

void RelockAfterFork() {
  for (uint32_t i = 0; i < fence.arena_count; ++i) {
    const long result = fence.arenas[i].Relock();
    if (sys::Failed(result)) {
      CountLockError(result);
    } else {
      Count(ledger.relocks);
    }
  }
}

}  // namespace pagewarden
