// SPDX-License-Identifier: Apache-2.0
// Operations on mappings: what is mapped, and where.
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "tests/truth/worker.h"

namespace truth {
namespace {

constexpr uint32_t kNone = kRegions;
constexpr uint32_t kLargestMapping = 64;
constexpr uint32_t kLargestSecret = 4;
constexpr uint32_t kMaxLeaks = 40;

void* Pointer(uint64_t address) { return reinterpret_cast<void*>(address); }

// A random one of `content`, or kNone.
uint32_t Pick(Worker& worker, Content content) {
  const uint32_t first = worker.random.Below(kRegions - 1);
  for (uint32_t i = 0; i < kRegions - 1; ++i) {
    const uint32_t region = 1 + (first + i) % (kRegions - 1);
    if (worker.model.regions[region].content == content) return region;
  }
  return kNone;
}

int MapAt(uint64_t address, uint32_t pages, int flags) {
  const void* const got = mmap(Pointer(address), pages * kPageBytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  return got == MAP_FAILED ? errno : 0;
}

// How a mapping made now is locked.
Page NewPage(const Worker& worker, bool asks_for_lock) {
  if (worker.model.next != Page::kUnlocked) return worker.model.next;
  return asks_for_lock ? Page::kLocked : Page::kUnlocked;
}

int ExpectedOfGrowth(const Worker& worker, Page page, uint64_t pages) {
  return page != Page::kUnlocked && worker.model.Exceeds(pages) ? EAGAIN : 0;
}

void Fill(Region& region, Content content, uint32_t pages, Page page) {
  region.content = content;
  region.pages = pages;
  std::fill(region.page, region.page + pages, page);
}

void Forget(Region& region) { region = Region(); }

int RemapTo(const Worker& worker, uint32_t from, uint32_t to, uint32_t pages) {
  const Model& model = worker.model;
  void* const old = Pointer(model.AddressOf(from));
  const uint64_t old_bytes = model.regions[from].pages * kPageBytes;
  const void* const got = from == to
                              ? mremap(old, old_bytes, pages * kPageBytes, 0, nullptr)
                              : mremap(old, old_bytes, pages * kPageBytes,
                                       MREMAP_MAYMOVE | MREMAP_FIXED, Pointer(model.AddressOf(to)));
  return got == MAP_FAILED ? errno : 0;
}

uint64_t SetBreak(uint64_t address) { return static_cast<uint64_t>(syscall(SYS_brk, address)); }

int MapSecretAt(uint64_t address, uint32_t pages) {
  const int fd = static_cast<int>(syscall(SYS_memfd_secret, O_CLOEXEC));
  if (fd < 0) return errno;
  const uint64_t bytes = pages * kPageBytes;
  int error = ftruncate(fd, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
  if (error == 0 && mmap(Pointer(address), bytes, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0) == MAP_FAILED) {
    error = errno;
  }
  close(fd);
  return error;
}

}  // namespace

void Map(Worker& worker) {
  const uint32_t region = Pick(worker, Content::kNone);
  if (region == kNone) return;
  const uint32_t pages = worker.random.From(1, kLargestMapping);
  const bool locks = worker.random.Chance(50);
  Enter(worker);
  const Page page = NewPage(worker, locks);
  const int expected = ExpectedOfGrowth(worker, page, pages);
  const int error =
      MapAt(worker.model.AddressOf(region), pages, MAP_FIXED_NOREPLACE | (locks ? MAP_LOCKED : 0));
  Expect(worker, Kind::kMap, expected, error);
  if (error == 0) Fill(worker.model.regions[region], Content::kAnonymous, pages, page);
  Account(worker, Kind::kMap);
  Leave(worker);
}

void Replace(Worker& worker) {
  const uint32_t picked = Pick(worker, Content::kAnonymous);
  if (picked == kNone) return;
  Region& region = worker.model.regions[picked];
  const uint32_t first = worker.random.Below(region.pages);
  const uint32_t pages = worker.random.From(1, region.pages - first);
  const bool locks = worker.random.Chance(50);
  Enter(worker);
  const Page page = NewPage(worker, locks);
  // The kernel compares before it unmaps, so what is replaced counts twice.
  const int expected = ExpectedOfGrowth(worker, page, pages);
  const int error = MapAt(worker.model.AddressOf(picked) + first * kPageBytes, pages,
                          MAP_FIXED | (locks ? MAP_LOCKED : 0));
  Expect(worker, Kind::kReplace, expected, error);
  if (error == 0) std::fill(region.page + first, region.page + first + pages, page);
  Account(worker, Kind::kReplace);
  Leave(worker);
}

void Unmap(Worker& worker) {
  uint32_t picked = Pick(worker, worker.random.Chance(20) ? Content::kSecret : Content::kAnonymous);
  if (picked == kNone) return;
  Region& region = worker.model.regions[picked];
  const bool whole = worker.random.Chance(50);
  const uint32_t first = whole ? 0 : worker.random.Below(region.pages);
  const uint32_t pages = whole ? region.pages : worker.random.From(1, region.pages - first);
  Enter(worker);
  const int error =
      munmap(Pointer(worker.model.AddressOf(picked) + first * kPageBytes), pages * kPageBytes);
  Expect(worker, Kind::kUnmap, 0, error == 0 ? 0 : errno);
  std::fill(region.page + first, region.page + first + pages, Page::kHole);
  if (whole) Forget(region);
  Account(worker, Kind::kUnmap);
  Leave(worker);
}

void Remap(Worker& worker) {
  const uint32_t from = Pick(worker, Content::kAnonymous);
  if (from == kNone || !worker.model.regions[from].IsUniform()) return;
  const uint32_t elsewhere = worker.random.Chance(50) ? Pick(worker, Content::kNone) : kNone;
  const uint32_t to = elsewhere == kNone ? from : elsewhere;
  Region& region = worker.model.regions[from];
  const uint32_t pages = worker.random.From(1, kMaxPages);
  Enter(worker);
  const Page page = region.page[0];
  const uint32_t growth = pages > region.pages ? pages - region.pages : 0;
  const int expected = growth > 0 ? ExpectedOfGrowth(worker, page, growth) : 0;
  const int error = RemapTo(worker, from, to, pages);
  // Mappings that are alike need not be one, and only one can grow or move.
  if (error != EFAULT) Expect(worker, Kind::kRemap, expected, error);
  if (error == 0) {
    Forget(region);
    Fill(worker.model.regions[to], Content::kAnonymous, pages, page);
  }
  Account(worker, Kind::kRemap);
  Leave(worker);
}

void Break(Worker& worker) {
  Region& region = worker.model.regions[0];
  const uint32_t pages = worker.random.Below(kMaxPages + 1);
  Enter(worker);
  const Page page = worker.model.next;
  const uint32_t growth = pages > region.pages ? pages - region.pages : 0;
  const int expected = growth > 0 ? ExpectedOfGrowth(worker, page, growth) : 0;
  const uint64_t wanted = worker.model.break_address + pages * kPageBytes;
  const bool done = SetBreak(wanted) == wanted;
  Expect(worker, Kind::kBreak, expected, done ? 0 : EAGAIN);
  if (done) {
    if (growth > 0) std::fill(region.page + region.pages, region.page + pages, page);
    region.pages = pages;
  }
  Account(worker, Kind::kBreak);
  Leave(worker);
}

void Secret(Worker& worker) {
  const uint32_t region = Pick(worker, Content::kNone);
  const Kernel& kernel = worker.board.kernel;
  if (region == kNone || kernel.has_secret_memory == 0) return;
  const uint32_t pages = worker.random.From(1, kLargestSecret);
  Enter(worker);
  const bool counts = kernel.secret_memory_in_locked != 0;
  const Page page = counts ? NewPage(worker, true) : Page::kUnlocked;
  const int expected = ExpectedOfGrowth(worker, page, pages);
  const int error = MapSecretAt(worker.model.AddressOf(region), pages);
  Expect(worker, Kind::kSecret, expected, error);
  if (error == 0) Fill(worker.model.regions[region], Content::kSecret, pages, page);
  Account(worker, Kind::kSecret);
  Leave(worker);
}

void Leak(Worker& worker) {
  const uint32_t region = Pick(worker, Content::kNone);
  constexpr uint64_t kLeakPages = 16;
  if (region == kNone || worker.slot().leaked_bytes >= kMaxLeaks * kLeakPages * kPageBytes) return;
  const uint64_t bytes = kLeakPages * kPageBytes;
  void* const old = Pointer(worker.model.AddressOf(region));
  Enter(worker);
  Region& mapped = worker.model.regions[region];
  Expect(worker, Kind::kLeak, 0,
         MapAt(worker.model.AddressOf(region), kLeakPages, MAP_FIXED_NOREPLACE | MAP_LOCKED));
  Fill(mapped, Content::kAnonymous, kLeakPages, NewPage(worker, true));
  Account(worker, Kind::kLeak);
  void* const moved = mremap(old, bytes, bytes, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, nullptr);
  Expect(worker, Kind::kLeak, 0, moved == MAP_FAILED ? errno : 0);
  AccountLeak(worker);
  Expect(worker, Kind::kLeak, 0, munmap(moved, bytes) == 0 ? 0 : errno);
  Expect(worker, Kind::kLeak, 0, munmap(old, bytes) == 0 ? 0 : errno);
  Forget(mapped);
  AccountLeak(worker);
  Leave(worker);
}

}  // namespace truth
