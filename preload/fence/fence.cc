// SPDX-License-Identifier: Apache-2.0
#include "preload/fence/fence.h"

#include <new>

#include "preload/base/ledger.h"
#include "preload/base/mem.h"
#include "preload/base/report.h"
#include "preload/base/sys.h"

namespace pagewarden {

namespace {
// No address of a program: another thread may compare with it while EnsureFence is
// at work, and must not find a null pointer inside.
constexpr uint64_t kNowhere = 1ull << 63;
}  // namespace

PW_SEALED Fence fence = {kNowhere, 0, nullptr, 0, {}, {}};
uint32_t open_arenas = 0;

namespace {

constexpr uint64_t kGuardBytes = kPageBytes;

uint64_t RoundUp(uint64_t bytes, uint64_t unit) { return (bytes + unit - 1) / unit * unit; }

// Hands out the parts of the tables' area one after the other. With a null base
// it only adds up how much that is.
class Carver {
 public:
  explicit Carver(const void* base) : base_(reinterpret_cast<uint64_t>(base)) {}

  template <typename T>
  T* Take(uint64_t count, uint64_t alignment = 64) {
    used_ = RoundUp(used_, alignment);
    T* at = reinterpret_cast<T*>(base_ + used_);
    used_ += count * sizeof(T);
    return at;
  }
  uint64_t used() const { return used_; }

 private:
  uint64_t base_;
  uint64_t used_ = 0;
};

struct Tables {
  unsigned char* page;  // wiped in fork children: it shares its page with nothing
  Arena* arenas;
  abi::LedgerTag* tags;
  abi::LedgerBook* books;
  Arena::Tables of_arena[abi::kMaxArenasPerPolicy];
  uint64_t bytes;
};

Tables Carve(unsigned char* base, const uint64_t* reservations, uint32_t arenas, uint32_t tags) {
  Carver carver(base);
  Tables tables = {};
  tables.page = carver.Take<unsigned char>(kPageBytes, kPageBytes);
  tables.arenas = carver.Take<Arena>(arenas);
  tables.tags = carver.Take<abi::LedgerTag>(tags);
  tables.books = carver.Take<abi::LedgerBook>(uint64_t{kRows} * tags);
  for (uint32_t i = 0; i < arenas; ++i) {
    tables.of_arena[i].magazines = carver.Take<Magazine>(uint64_t{kRows} * kMagazineStride);
    tables.of_arena[i].records = carver.Take<PageRecord>(reservations[i] / kPageBytes);
  }
  tables.bytes = RoundUp(carver.used(), kPageBytes);
  return tables;
}

void FillKey(CanaryKey& key) {
  if (sys::GetRandom(&key, sizeof(key)) == static_cast<long>(sizeof(key))) return;
  // A filtered getrandom leaves the address layout and the clock.
  key.words[0] = reinterpret_cast<uint64_t>(&key) ^ __builtin_ia32_rdtsc();
  key.words[1] = fence.base * 0x9e3779b97f4a7c15u ^ __builtin_ia32_rdtsc();
}

struct Spare {
  unsigned char* at;
  Arena::Tables tables;
};
PW_SEALED Spare all_spares[kSpareArenas] = {};  // the last one of the fence's first

void TieTables(Arena::Tables& of, uint32_t arena, const unsigned char* at) {
  of.key = &fence.key;
  of.books = &fence.books;
  of.book = &ledger.arenas[arena];
  of.book->base = reinterpret_cast<uint64_t>(at);
}

// Returns how much of them is locked.
uint64_t OpenArenas(const abi::ArenaEntry* policies, const uint64_t* reservations, uint32_t count,
                    Tables& tables, unsigned char* at) {
  uint64_t locked = 0;
  for (uint32_t i = 0; i < count; ++i) {
    Arena::Tables& of = tables.of_arena[i];
    TieTables(of, i, at);
    const Backing backing = Backing::Open(at, reservations[i], policies[i], locked);
    new (&fence.arenas[i]) Arena(policies[i], backing, of);
    locked += backing.locked_bytes();
    at += reservations[i] + kGuardBytes;
  }
  for (uint32_t i = count; i < fence.arena_slots; ++i) {
    all_spares[fence.arena_slots - 1 - i] = {at, tables.of_arena[i]};
    at += reservations[i] + kGuardBytes;
  }
  return locked;
}

void Publish(const Tables& tables, uint32_t arenas, uint32_t tags) {
  ledger.tags_base = reinterpret_cast<uint64_t>(tables.tags);
  ledger.books_base = reinterpret_cast<uint64_t>(tables.books);
  ledger.tag_count = tags;
  ledger.book_rows = kRows;
  ledger.arena_count = arenas;
  ledger.fence_base = fence.base;
  ledger.fence_bytes = fence.bytes;
}

}  // namespace

abi::Uncovered BuildFence(const abi::ArenaEntry* policies, uint32_t count, uint32_t spares,
                          uint32_t tags, void** page) {
  uint64_t reservations[abi::kMaxArenasPerPolicy];
  uint64_t arena_bytes = 0;
  const uint32_t slots = count + spares;
  for (uint32_t i = 0; i < slots; ++i) {
    reservations[i] = i < count ? ReservationBytes(policies[i]) : kSpareArenaBytes;
    arena_bytes += reservations[i] + kGuardBytes;
  }
  const uint64_t table_bytes = Carve(nullptr, reservations, slots, tags).bytes;
  const uint64_t total = kGuardBytes + table_bytes + kGuardBytes + arena_bytes;
  const long at = sys::Reserve(total);
  if (sys::Failed(at)) return abi::Uncovered::kNoReservation;
  auto* base = reinterpret_cast<unsigned char*>(at);
  if (sys::Failed(sys::Protect(base + kGuardBytes, table_bytes, kProtRead | kProtWrite)))
    return abi::Uncovered::kNoReservation;
  Tables tables = Carve(base + kGuardBytes, reservations, slots, tags);
  fence.base = reinterpret_cast<uint64_t>(base);
  FillKey(fence.key);
  fence.books = Books(tables.tags, tables.books, tags);
  fence.arenas = tables.arenas;
  fence.arena_slots = slots;
  const uint64_t locked =
      OpenArenas(policies, reservations, count, tables, base + 2 * kGuardBytes + table_bytes);
  __atomic_store_n(&open_arenas, count, __ATOMIC_RELEASE);
  __atomic_store_n(&fence.bytes, total, __ATOMIC_RELEASE);
  Publish(tables, count, tags);
  *page = tables.page;
  return locked != 0 ? abi::Uncovered::kNone : abi::Uncovered::kLockFailed;
}

bool OpenSpareArena(const abi::ArenaEntry& policy, const char* name, size_t name_bytes) {
  const uint32_t arena = ArenaCount();
  if (arena == fence.arena_slots || policy.capacity_bytes > kSpareArenaBytes) return false;
  Spare spare = all_spares[fence.arena_slots - 1 - arena];
  Backing backing;
  if (!Backing::OpenLater(spare.at, kSpareArenaBytes, policy, &backing)) return false;
  abi::LedgerArena& book = ledger.arenas[arena];
  CopyText(book.name, sizeof(book.name), name, name_bytes);
  TieTables(spare.tables, arena, spare.at);
  new (&fence.arenas[arena]) Arena(policy, backing, spare.tables);
  __atomic_store_n(&ledger.arena_count, arena + 1, __ATOMIC_RELEASE);
  __atomic_store_n(&open_arenas, arena + 1, __ATOMIC_RELEASE);
  return true;
}

Arena& Fence::OtherArenaOf(const void* block) const {
  const uint32_t count = ArenaCount();
  for (uint32_t i = 1; i < count; ++i)
    if (arenas[i].Owns(block)) return arenas[i];
  Die(abi::kViolationWildFree, "free of a pointer between the arenas");
}

}  // namespace pagewarden
