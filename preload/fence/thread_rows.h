// SPDX-License-Identifier: Apache-2.0
// Rows: small numbers that living threads own, one each, so that magazines and
// books need no lock. There is no thread-exit hook to rely on (a pthread key can
// run out, its destructors come in any order), so a row is taken over instead
// when a thread appears with the thread pointer of its owner, which must then be
// dead: C libraries reuse stacks. A dead thread's row stays as it is until then.
// Whoever finds no row shares kSharedRow, under the arena's lock.
#pragma once

#include <stdint.h>

#include "preload/abi/ledger.h"
#include "preload/base/thread.h"

namespace pagewarden {

inline constexpr uint32_t kRows = abi::kMaxBookRows;
inline constexpr uint32_t kSharedRow = 0;

// Slow path of ThreadRow. Lock-free.
uint8_t ClaimRow();

// This thread's row.
inline uint32_t ThreadRow() {
  uint8_t row = pw_thread.row;
  if (PW_UNLIKELY(row == 0)) row = ClaimRow();
  return row % kRows;
}

// Rows from here on have never been owned.
uint32_t RowsInUse();

// In a fork child, where only the calling thread is left: the other rows, with
// what their magazines hold, go to whoever asks.
void ReleaseRowsOfOthers();

}  // namespace pagewarden
