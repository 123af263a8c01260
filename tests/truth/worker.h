// SPDX-License-Identifier: Apache-2.0
// One of the processes: its model, its place on the board, and what it may do next.
// No memory from the heap, and a stack that has been touched: nothing may be mapped or
// grow that the model does not know.
#pragma once

#include <cstdint>

#include "tests/truth/board.h"
#include "tests/truth/model.h"

namespace truth {

// splitmix64: every seed is good, and a generator is one word.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(Next() % bound); }
  uint32_t From(uint32_t low, uint32_t high) { return low + Below(high - low + 1); }
  bool Chance(uint32_t percent) { return Below(100) < percent; }

 private:
  uint64_t state_;
};

struct Worker {
  Board& board;
  uint32_t index;  // of its slot; another after a fork, in the child
  Random random;
  Model model = {};
  int ring_fd = -1;
  uint32_t registered_pages = 0;
  bool has_thread = false;

  Slot& slot() const { return board.of[index]; }
  CgroupBook& book() const { return board.cgroups[slot().cgroup]; }
};

// Takes the lock of the worker's cgroup. Ends the process where it cannot be had.
void Enter(Worker& worker);
void Leave(Worker& worker);

// Puts what /proc/thread-self/status says into the books, and complains where that is not
// what the model says. Within Enter and Leave, after every system call that changes it.
void Account(Worker& worker, Kind kind);

// As Account, where only the kernel knows how much is outside the regions.
void AccountOutside(Worker& worker, Kind kind);

// As Account, where the kernel leaks: what is above the model is Slot::leaked_bytes.
void AccountLeak(Worker& worker);

// Complains unless a system call ended as the model expects: with `errno_value`, 0
// for success. `returned_errno` is what it gave.
void Expect(Worker& worker, Kind kind, int errno_value, int returned_errno);

// The operations. Each takes the lock itself; each may find nothing to do.
void Map(Worker& worker);      // mmap, half of them with MAP_LOCKED
void Replace(Worker& worker);  // mmap over a part of a region
void Unmap(Worker& worker);    // a part, or all
void Remap(Worker& worker);    // mremap: smaller, larger, elsewhere
void Break(Worker& worker);    // brk up and down
void Lock(Worker& worker);     // mlock, over holes too
void LockOnFault(Worker& worker);
void Unlock(Worker& worker);
void LockAll(Worker& worker);  // MCL_CURRENT, MCL_FUTURE, both, with MCL_ONFAULT
void UnlockAll(Worker& worker);
void Secret(Worker& worker);         // memfd_secret, mapped
void SharedMemory(Worker& worker);   // SHM_LOCK, SHM_UNLOCK
void Ring(Worker& worker);           // io_uring: registers a buffer, or unregisters it
void Migrate(Worker& worker);        // to another cgroup
void Thread(Worker& worker);         // one that sleeps: the memory is of both, and counts once
void ForkWorker(Worker& worker);     // a child that lives in a free slot, if there is one
void ForkTransient(Worker& worker);  // a child that locks and ends
void Exec(Worker& worker);           // the same program again
void Exit(Worker& worker);           // by exit or by a signal; the driver fills the slot
void Leak(Worker& worker);           // mremap(MREMAP_DONTUNMAP) of locked memory

// Lets go of a ring that a forked child inherited.
void CloseInheritedRing(Worker& worker);

// What every new process of a slot begins with: its name, its numbers, a model with the
// limit and the capability that it has. After execve it closes the books of the program
// before and gives back the lock that it held.
void BeginLife(Worker& worker);

}  // namespace truth
