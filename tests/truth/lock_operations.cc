// SPDX-License-Identifier: Apache-2.0
// Operations on locks: mlock and its family.
#include <errno.h>
#include <sys/mman.h>

#include "tests/truth/own_status.h"
#include "tests/truth/worker.h"

namespace truth {
namespace {

struct Range {
  uint32_t region = 0;
  uint32_t first = 0;
  uint32_t pages = 0;  // 0: there is nothing to lock
};

Range PickRange(Worker& worker) {
  const uint32_t start = worker.random.Below(kRegions);
  for (uint32_t i = 0; i < kRegions; ++i) {
    const uint32_t picked = (start + i) % kRegions;
    const Region& region = worker.model.regions[picked];
    if (region.pages == 0) continue;
    const bool is_uncounted = worker.board.kernel.secret_memory_in_locked == 0;
    if (region.content == Content::kSecret && is_uncounted) continue;
    const uint32_t first = worker.random.Below(region.pages);
    return {picked, first, worker.random.From(1, region.pages - first)};
  }
  return {};
}

// What is locked already is not counted against the limit again.
bool IsOverLimit(const Worker& worker, const Range& range) {
  const Region& region = worker.model.regions[range.region];
  return worker.model.Exceeds(range.pages - region.LockedPages(range.first, range.pages));
}

template <typename Call>
void Change(Worker& worker, Kind kind, Page page, Call call) {
  const Range range = PickRange(worker);
  if (range.pages == 0) return;
  Model& model = worker.model;
  void* const address =
      reinterpret_cast<void*>(model.AddressOf(range.region) + range.first * kPageBytes);
  Enter(worker);
  bool expected = page == Page::kUnlocked || !IsOverLimit(worker, range);
  Region& region = model.regions[range.region];
  if (expected) expected = model.Set(region, range.first, range.pages, page);
  if (region.content == Content::kSecret && page != Page::kUnlocked) {
    // Its locks stay as they are, and it cannot be populated, if asked to (mm/gup.c).
    expected = expected && region.page[range.first] == Page::kOnFault;
  }
  const int error = call(address, range.pages * kPageBytes) == 0 ? 0 : errno;
  Expect(worker, kind, expected ? 0 : ENOMEM, error);
  Account(worker, kind);
  Leave(worker);
}

constexpr int kFlags[] = {MCL_CURRENT,
                          MCL_FUTURE,
                          MCL_CURRENT | MCL_FUTURE,
                          MCL_CURRENT | MCL_ONFAULT,
                          MCL_FUTURE | MCL_ONFAULT,
                          MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT};

// The kernel compares the whole size of the process with the limit.
bool MayLockAll(const Worker& worker, int flags) {
  StatusFigures figures;
  if (worker.model.has_capability || (flags & MCL_CURRENT) == 0) return true;
  return ReadStatusFigures("/proc/thread-self/status", figures) &&
         figures.size_bytes <= worker.model.limit_pages * kPageBytes;
}

}  // namespace

void Lock(Worker& worker) { Change(worker, Kind::kLock, Page::kLocked, mlock); }

void LockOnFault(Worker& worker) {
  Change(worker, Kind::kLockOnFault, Page::kOnFault,
         [](void* address, uint64_t bytes) { return mlock2(address, bytes, MLOCK_ONFAULT); });
}

void Unlock(Worker& worker) { Change(worker, Kind::kUnlock, Page::kUnlocked, munlock); }

void LockAll(Worker& worker) {
  const int flags = kFlags[worker.random.Below(sizeof(kFlags) / sizeof(kFlags[0]))];
  const Page page = (flags & MCL_ONFAULT) != 0 ? Page::kOnFault : Page::kLocked;
  Enter(worker);
  const bool allowed = MayLockAll(worker, flags);
  const int error = mlockall(flags) == 0 ? 0 : errno;
  Expect(worker, Kind::kLockAll, allowed ? 0 : ENOMEM, error);
  if (error == 0) worker.model.next = (flags & MCL_FUTURE) != 0 ? page : Page::kUnlocked;
  if (error == 0 && (flags & MCL_CURRENT) != 0) {
    worker.model.SetAll(page);
    AccountOutside(worker, Kind::kLockAll);
  } else {
    Account(worker, Kind::kLockAll);
  }
  Leave(worker);
}

void UnlockAll(Worker& worker) {
  Enter(worker);
  Expect(worker, Kind::kUnlockAll, 0, munlockall() == 0 ? 0 : errno);
  worker.model.SetAll(Page::kUnlocked);
  worker.model.outside_pages = 0;
  worker.model.next = Page::kUnlocked;
  Account(worker, Kind::kUnlockAll);
  Leave(worker);
}

}  // namespace truth
