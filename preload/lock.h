// SPDX-License-Identifier: Apache-2.0
// A futex lock. Uncontended, it is one exchange and no system call; futex is
// the only call the shim makes in steady state, and only under contention.
#pragma once

#include <linux/futex.h>

#include "preload/macros.h"
#include "preload/sys.h"

namespace pagewarden {

class Lock {
 public:
  void Acquire() {
    uint32_t expected = kFree;
    if (PW_LIKELY(__atomic_compare_exchange_n(&word_, &expected, kHeld, false, __ATOMIC_ACQUIRE,
                                              __ATOMIC_RELAXED)))
      return;
    Wait();
  }

  void Release() {
    if (PW_UNLIKELY(__atomic_exchange_n(&word_, kFree, __ATOMIC_RELEASE) == kContended))
      sys::Call(__NR_futex, sys::Arg(&word_), FUTEX_WAKE_PRIVATE, 1);
  }

  // In a fork child, where the thread that waited or held is gone.
  void Reset() { word_ = kFree; }

 private:
  enum : uint32_t { kFree, kHeld, kContended };

  PW_COLD void Wait() {
    constexpr int kSpins = 64;
    for (int i = 0; i < kSpins; ++i) {
      __builtin_ia32_pause();
      uint32_t expected = kFree;
      if (__atomic_compare_exchange_n(&word_, &expected, kHeld, false, __ATOMIC_ACQUIRE,
                                      __ATOMIC_RELAXED))
        return;
    }
    while (__atomic_exchange_n(&word_, kContended, __ATOMIC_ACQUIRE) != kFree)
      sys::Call(__NR_futex, sys::Arg(&word_), FUTEX_WAIT_PRIVATE, kContended, 0);
  }

  uint32_t word_ = kFree;
};

}  // namespace pagewarden
