// SPDX-License-Identifier: Apache-2.0
// A futex lock. Uncontended, it costs one locked instruction, for Acquire, and
// no system call; futex is the only call the shim makes in steady state, and
// only under contention.
#pragma once

#include <linux/futex.h>

#include "preload/base/macros.h"
#include "preload/base/sys.h"
#include "preload/base/thread.h"

namespace pagewarden {

class Lock {
 public:
  void Acquire() {
    if (PW_UNLIKELY(!TryAcquire())) Wait();
  }

  // A plain store, then a look for waiters. The look may pass the store, and
  // miss a thread that is just going to sleep: its sleep is short for that.
  void Release() {
    __atomic_store_n(&owner_, 0, __ATOMIC_RELEASE);
    if (PW_UNLIKELY(__atomic_load_n(&waiters_, __ATOMIC_RELAXED) != 0))
      sys::Call(__NR_futex, sys::Arg(&owner_), FUTEX_WAKE_PRIVATE, 1);
  }

  bool TryAcquire() {
    uint64_t nobody = 0;
    return __atomic_compare_exchange_n(&owner_, &nobody, ThreadPointer(), false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
  }

  bool IsHeld() const { return Owner() != 0; }
  bool IsMine() const { return Owner() == ThreadPointer(); }

  // In a fork child, where the threads that waited or held are gone.
  void Reset() {
    owner_ = 0;
    waiters_ = 0;
  }

 private:
  uint64_t Owner() const { return __atomic_load_n(&owner_, __ATOMIC_RELAXED); }

  PW_COLD void Wait() {
    constexpr int kSpins = 64;
    for (int i = 0; i < kSpins; ++i) {
      __builtin_ia32_pause();
      if (TryAcquire()) return;
    }
    __atomic_fetch_add(&waiters_, 1, __ATOMIC_SEQ_CST);
    while (!TryAcquire()) Sleep();
    __atomic_fetch_sub(&waiters_, 1, __ATOMIC_RELAXED);
  }

  // A futex is 32 bits: the low half of the owner.
  void Sleep() {
    constexpr int64_t kMissedWake[2] = {0, 1'000'000};  // struct timespec: 1 ms
    const auto low_half = static_cast<uint32_t>(Owner());
    if (low_half != 0)
      sys::Call(__NR_futex, sys::Arg(&owner_), FUTEX_WAIT_PRIVATE, low_half, sys::Arg(kMissedWake));
  }

  uint64_t owner_ = 0;  // its thread pointer
  uint32_t waiters_ = 0;
};

}  // namespace pagewarden
