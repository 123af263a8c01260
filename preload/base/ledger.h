// SPDX-License-Identifier: Apache-2.0
// The shim's side of abi/ledger.h.
#pragma once

#include "preload/abi/ledger.h"
#include "preload/base/macros.h"

namespace pagewarden {

extern PW_HIDDEN abi::Ledger ledger;

// Readers look at the counters while they change: whole words, no order.
inline uint64_t Load(const uint64_t& counter) {
  return __atomic_load_n(&counter, __ATOMIC_RELAXED);
}
inline void Store(uint64_t& counter, uint64_t value) {
  __atomic_store_n(&counter, value, __ATOMIC_RELAXED);
}
inline void Count(uint64_t& counter) { __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED); }

void SetState(abi::ShimState state, abi::Uncovered reason);

// A failed call of the mlock family; `result` is the kernel's.
void CountLockError(long result);

}  // namespace pagewarden
