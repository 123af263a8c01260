// SPDX-License-Identifier: Apache-2.0
// A futex lock. Uncontended, it costs one locked instruction, for Acquire, and
// no system call; futex is the only call the shim makes in steady state, and
// only under contention.
#pragma once

#include <linux/futex.h>

#include "preload/macros.h"
#include "preload/sys.h"

namespace pagewarden {

class Lock {
 public:
  void Acquire() {
    if (PW_UNLIKELY(!TryAcquire())) Wait();
  }

  // A plain store, then a look for waiters. The look may pass the store, and
  // miss a thread that is just going to sleep: its sleep is short for that.
  void Release() {
    __atomic_store_n(&held_, 0, __ATOMIC_RELEASE);
    if (PW_UNLIKELY(__atomic_load_n(&waiters_, __ATOMIC_RELAXED) != 0))
      sys::Call(__NR_futex, sys::Arg(&held_), FUTEX_WAKE_PRIVATE, 1);
  }

  bool IsHeld() const { return __atomic_load_n(&held_, __ATOMIC_RELAXED) != 0; }

  // In a fork child, where the threads that waited or held are gone.
  void Reset() { held_ = waiters_ = 0; }

 private:
  bool TryAcquire() {
    uint32_t expected = 0;
    return __atomic_compare_exchange_n(&held_, &expected, 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
  }

  PW_COLD void Wait() {
    constexpr int kSpins = 64;
    for (int i = 0; i < kSpins; ++i) {
      __builtin_ia32_pause();
      if (TryAcquire()) return;
    }
    constexpr int64_t kMissedWake[2] = {0, 1'000'000};  // struct timespec: 1 ms
    __atomic_fetch_add(&waiters_, 1, __ATOMIC_SEQ_CST);
    while (!TryAcquire())
      sys::Call(__NR_futex, sys::Arg(&held_), FUTEX_WAIT_PRIVATE, 1, sys::Arg(kMissedWake));
    __atomic_fetch_sub(&waiters_, 1, __ATOMIC_RELAXED);
  }

  uint32_t held_ = 0;
  uint32_t waiters_ = 0;
};

}  // namespace pagewarden
