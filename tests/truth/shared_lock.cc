// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/shared_lock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>

namespace truth {
namespace {

constexpr uint32_t kMicrosecondsAWait = 1000 * 1000;
constexpr int kWaits = 60;

long Futex(std::atomic<uint32_t>& word, int operation, uint32_t value, const timespec* timeout) {
  return syscall(SYS_futex, &word, operation, value, timeout, nullptr, 0);
}

}  // namespace

bool SharedLock::Acquire() {
  uint32_t seen = 0;
  if (word_.compare_exchange_strong(seen, 1)) return true;
  for (int i = 0; i < kWaits; ++i) {
    if (word_.exchange(2) == 0) return true;
    WaitWhile(word_, 2, kMicrosecondsAWait);
  }
  return false;
}

void SharedLock::Release() {
  if (word_.exchange(0) == 2) Futex(word_, FUTEX_WAKE, 1, nullptr);
}

void WaitWhile(std::atomic<uint32_t>& word, uint32_t value, uint32_t microseconds) {
  const timespec timeout = {microseconds / 1000000, microseconds % 1000000 * 1000};
  Futex(word, FUTEX_WAIT, value, &timeout);
}

void WakeAll(std::atomic<uint32_t>& word) { Futex(word, FUTEX_WAKE, INT_MAX, nullptr); }

}  // namespace truth
