// SPDX-License-Identifier: Apache-2.0
// A lock in shared memory that belongs to no thread: one process may take it and
// another give it back, as happens where its holder ends or becomes another program.
// pthread's robust mutex would not do: the kernel lets go of it before the memory of
// the holder is unmapped (kernel/exit.c, exit_mm_release before mmput).
#pragma once

#include <atomic>
#include <cstdint>

namespace truth {

class SharedLock {
 public:
  // False: not within a minute, so that whoever holds it is lost.
  bool Acquire();
  void Release();

 private:
  std::atomic<uint32_t> word_{0};  // 0: free, 1: held, 2: held and waited for
};

// futex(2) on a word in shared memory; returns when it is not `value`,
// was woken, or the time is over.
void WaitWhile(std::atomic<uint32_t>& word, uint32_t value, uint32_t microseconds);
void WakeAll(std::atomic<uint32_t>& word);

}  // namespace truth
