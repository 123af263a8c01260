// SPDX-License-Identifier: Apache-2.0
// Memory that a policy's `pin` keeps locked where it is, outside the arenas.
//
// Pages are locked as they are touched (MLOCK_ONFAULT), so that pinning neither
// fills memory nor parts a fork child's pages from its parent's. What could not be
// locked is booked too: the ledger tells both. Any thread may call; a signal
// handler that comes in the middle of it changes nothing.
#pragma once

#include <stdint.h>

#include "preload/pins/range_table.h"

namespace pagewarden {

enum class PinMode { kOff, kAudit, kEnforce };

// For Start. In audit mode nothing is locked, and all is booked as unlocked.
void SetPinMode(PinMode mode);

// Whether the policy pins anything: where it does not, fork touches nothing of this.
bool PinsAreOn();
PinMode GetPinMode();

// Which end of a range to lock where the limit does not allow for all of it.
enum class Prefer { kBegin, kEnd };

// Locks the pages that [begin, end) touches; of a mapping, all or none.
void Pin(uint64_t begin, uint64_t end, PinSource source, Prefer prefer = Prefer::kBegin);

// What should be pinned, and never will be.
void CountUnpinned(uint64_t bytes);

// Books pages that are locked already.
void BookLocked(uint64_t begin, uint64_t end, PinSource source);

// Books pages that cannot be written yet; PinAccessible locks what is booked so.
void PinLater(uint64_t begin, uint64_t end, PinSource source);
void PinAccessible(uint64_t begin, uint64_t end);

// Locks anew what is booked as locked: it may have been unmapped and mapped again unseen.
void Relock(uint64_t begin, uint64_t end);

// The pages are gone, or about to go.
void Unpin(uint64_t begin, uint64_t end);
void UnpinSource(PinSource source);
void UnpinUnmapped(PinSource source);  // those that nothing is mapped at any more

// The first booked range that overlaps [begin, end), cut to it; false: there is none.
bool FindPin(uint64_t begin, uint64_t end, PinnedRange* found);

// Whether a page of [begin, end) is locked by the shim.
bool IsPinned(uint64_t begin, uint64_t end);

// Around fork(2) in the parent: the child must find the books whole.
void HoldPins();
void ReleasePins();

// In the child of fork, which inherits the books and no locks.
void RelockPins();

// In the child of a raw clone, where nothing may be locked.
void DisownPins();

}  // namespace pagewarden
