// SPDX-License-Identifier: Apache-2.0
#include "preload/fence/thread_rows.h"

namespace pagewarden {
namespace {

constexpr uint8_t kShares = kRows;  // asked, and none was free: kSharedRow

uint64_t owners[kRows];  // thread pointers; 0: free
uint32_t rows_in_use = 1;

void RaiseRowsInUse(uint32_t row) {
  uint32_t seen = __atomic_load_n(&rows_in_use, __ATOMIC_RELAXED);
  while (seen <= row && !__atomic_compare_exchange_n(&rows_in_use, &seen, row + 1, true,
                                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

uint8_t FindRow(uint64_t self) {
  for (uint8_t row = 1; row < kRows; ++row)
    if (__atomic_load_n(&owners[row], __ATOMIC_ACQUIRE) == self) return row;
  for (uint8_t row = 1; row < kRows; ++row) {
    uint64_t nobody = 0;
    if (__atomic_compare_exchange_n(&owners[row], &nobody, self, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED))
      return row;
  }
  return kShares;
}

}  // namespace

PW_COLD uint8_t ClaimRow() {
  const uint8_t row = FindRow(ThreadPointer());
  RaiseRowsInUse(row % kRows);
  pw_thread.row = row;
  return row;
}

uint32_t RowsInUse() { return __atomic_load_n(&rows_in_use, __ATOMIC_RELAXED); }

void ReleaseRowsOfOthers() {
  const uint64_t self = ThreadPointer();
  for (uint64_t& owner : owners)
    if (owner != self) __atomic_store_n(&owner, 0, __ATOMIC_RELEASE);
}

}  // namespace pagewarden
