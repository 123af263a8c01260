// SPDX-License-Identifier: Apache-2.0
#include "preload/pins/pins.h"

#include "preload/base/ledger.h"
#include "preload/base/lock.h"
#include "preload/base/macros.h"
#include "preload/base/signal_guard.h"
#include "preload/base/sys.h"
#include "preload/fence/size_classes.h"
#include "preload/pins/sandbox.h"

namespace pagewarden {
namespace {

PW_SEALED PinMode mode = PinMode::kOff;

Lock lock;
RangeTable table;

uint32_t nested_forks = 0;  // from signal handlers that interrupted a fork
uint64_t missed_bytes = 0;  // not booked, and not locked

// Holds the books, and keeps signal handlers out: but for one that interrupts fork, or
// comes in a sandbox, whose filter may end the process for a change of the signal mask.
// Then this thread holds the books already, perhaps in the middle of a change.
class Hold {
 public:
  Hold() : guard_(!InSandbox()), held_(!lock.IsMine()) {
    if (held_) lock.Acquire();
  }
  ~Hold() {
    if (!held_) return;
    Store(ledger.pinned_bytes, table.bytes(PinState::kLocked));
    Store(ledger.unpinned_bytes, table.bytes(PinState::kUnlocked) +
                                     __atomic_load_n(&missed_bytes, __ATOMIC_RELAXED));
    lock.Release();
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  explicit operator bool() const { return held_; }

 private:
  const SignalGuard guard_;
  const bool held_;
};

uint64_t PageDown(uint64_t address) { return address / kPageBytes * kPageBytes; }
uint64_t PageUp(uint64_t address) { return PageDown(address + kPageBytes - 1); }

void CountPinError(long result) {
  Count(ledger.pin_errors);
  __atomic_store_n(&ledger.pin_errno, static_cast<uint32_t>(-result), __ATOMIC_RELAXED);
}

bool Succeeds(long result) {
  if (sys::Failed(result)) CountPinError(result);
  return !sys::Failed(result);
}

long LockPages(uint64_t begin, uint64_t end) {
  return sys::LockOnFault(reinterpret_cast<const void*>(begin), end - begin);
}

void AddMissed(uint64_t bytes) { __atomic_fetch_add(&missed_bytes, bytes, __ATOMIC_RELAXED); }

bool MayLock() { return mode == PinMode::kEnforce && !InSandbox(); }

// How much of the range is locked now, at the preferred end. Each half that is tried
// costs a call that fails, so that a part is found in a few calls, not the largest.
uint64_t LockWhatFits(uint64_t begin, uint64_t end, PinSource source, Prefer prefer) {
  if (!MayLock()) return 0;
  if (Succeeds(LockPages(begin, end))) return end - begin;
  // Parted by a lock, what the program has mapped as one could not be remapped as one.
  if (source == PinSource::kMapping) return 0;
  for (uint64_t bytes = PageDown((end - begin) / 2); bytes != 0; bytes = PageDown(bytes / 2)) {
    const uint64_t from = prefer == Prefer::kBegin ? begin : end - bytes;
    if (!sys::Failed(LockPages(from, from + bytes))) return bytes;
  }
  return 0;
}

void Book(uint64_t begin, uint64_t end, PinSource source, PinState state) {
  if (begin < end) table.Set({begin, end, source, state});
}

void LockAndBook(uint64_t begin, uint64_t end, PinSource source, Prefer prefer) {
  const uint64_t locked = LockWhatFits(begin, end, source, prefer);
  const uint64_t border = prefer == Prefer::kBegin ? begin + locked : end - locked;
  const bool locked_first = prefer == Prefer::kBegin;
  Book(begin, border, source, locked_first ? PinState::kLocked : PinState::kUnlocked);
  Book(border, end, source, locked_first ? PinState::kUnlocked : PinState::kLocked);
}

// The first range that overlaps [begin, end) and that is_one says yes to, cut to it.
template <typename IsOne>
bool FindIn(uint64_t begin, uint64_t end, PinnedRange* found, IsOne is_one) {
  if (begin >= end) return false;
  for (uint32_t i = table.FirstAfter(begin); i < table.count() && table[i].begin < end; ++i) {
    if (!is_one(table[i].state)) continue;
    *found = table[i];
    if (found->begin < begin) found->begin = begin;
    if (found->end > end) found->end = end;
    return true;
  }
  return false;
}

bool IsAny(PinState) { return true; }
bool IsIdle(PinState state) { return state == PinState::kIdle; }
bool IsLocked(PinState state) { return state == PinState::kLocked; }

void LockAgain(uint64_t begin, uint64_t end) {
  PinnedRange range;
  for (; FindIn(begin, end, &range, IsLocked); begin = range.end)
    if (!MayLock() || sys::Failed(LockPages(range.begin, range.end)))
      LockAndBook(range.begin, range.end, range.source, Prefer::kBegin);
}

}  // namespace

void SetPinMode(PinMode wanted) { mode = wanted; }

PinMode GetPinMode() { return mode; }

void CountUnpinned(uint64_t bytes) {
  const Hold hold;
  AddMissed(bytes);
}

void Pin(uint64_t begin, uint64_t end, PinSource source, Prefer prefer) {
  const Hold hold;
  if (!hold) return AddMissed(PageUp(end) - PageDown(begin));
  LockAndBook(PageDown(begin), PageUp(end), source, prefer);
}

void BookLocked(uint64_t begin, uint64_t end, PinSource source) {
  const Hold hold;
  if (hold) Book(PageDown(begin), PageUp(end), source, PinState::kLocked);
}

void PinLater(uint64_t begin, uint64_t end, PinSource source) {
  const Hold hold;
  if (hold) Book(PageDown(begin), PageUp(end), source, PinState::kIdle);
}

void PinAccessible(uint64_t begin, uint64_t end) {
  const Hold hold;
  PinnedRange idle;
  while (hold && FindIn(PageDown(begin), PageUp(end), &idle, IsIdle)) {
    LockAndBook(idle.begin, idle.end, idle.source, Prefer::kBegin);
    begin = idle.end;
  }
}

void Unpin(uint64_t begin, uint64_t end) {
  const Hold hold;
  if (hold) table.Clear(PageDown(begin), PageUp(end));
}

void UnpinSource(PinSource source) {
  const Hold hold;
  if (hold) table.ClearSource(source);
}

void UnpinUnmapped(PinSource source) {
  if (InSandbox()) return;
  const Hold hold;
  for (uint32_t i = hold ? table.count() : 0; i-- > 0;) {
    const PinnedRange range = table[i];
    if (range.source == source && !sys::IsMapped(range.begin)) table.Clear(range.begin, range.end);
  }
}

void Relock(uint64_t begin, uint64_t end) {
  const Hold hold;
  if (hold) LockAgain(begin, end);
}

bool FindPin(uint64_t begin, uint64_t end, PinnedRange* found) {
  const Hold hold;
  return hold && FindIn(PageDown(begin), PageUp(end), found, IsAny);
}

bool IsPinned(uint64_t begin, uint64_t end) {
  const Hold hold;
  PinnedRange locked;
  return hold && FindIn(PageDown(begin), PageUp(end), &locked, IsLocked);
}

bool PinsAreOn() { return mode != PinMode::kOff; }

void HoldPins() {
  if (lock.IsMine())
    ++nested_forks;
  else
    lock.Acquire();
}

void ReleasePins() {
  if (nested_forks == 0) return lock.Release();
  --nested_forks;
}

void RelockPins() {
  nested_forks = 0;
  lock.Reset();
  const Hold hold;
  LockAgain(0, UINT64_MAX);
}

void DisownPins() {
  if (mode != PinMode::kEnforce) return;
  Store(ledger.unpinned_bytes, Load(ledger.unpinned_bytes) + Load(ledger.pinned_bytes));
  Store(ledger.pinned_bytes, 0);
}

}  // namespace pagewarden
