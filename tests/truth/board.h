// SPDX-License-Identifier: Apache-2.0
// What the driver and its workers share: the books of what is locked and pinned, and
// the signs by which all of them stop and go on. Lies in one memfd that every worker
// maps; a fresh one is all zeros.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "tests/truth/shared_lock.h"

namespace truth {

constexpr uint32_t kCgroups = 30;
constexpr uint32_t kMaxSlots = 256;
constexpr uint32_t kSegmentsASlot = 2;
constexpr int kBoardFd = 900;  // in every worker

enum class Kind : uint32_t {
  kMap,
  kReplace,
  kUnmap,
  kRemap,
  kBreak,
  kLock,
  kLockOnFault,
  kUnlock,
  kLockAll,
  kUnlockAll,
  kSecret,
  kSharedMemory,
  kRing,
  kMigrate,
  kThread,
  kForkWorker,
  kForkTransient,
  kExec,
  kExit,
  kLeak,
};
constexpr uint32_t kKinds = 20;
extern const char* const kKindNames[kKinds];

enum class SlotState : uint32_t { kFree, kStarting, kRunning, kPaused, kExiting };

// A System V segment; it outlives the process that made it, and belongs to its slot.
struct Segment {
  int id;
  uint32_t pages;  // 0: there is none
  uint32_t locked;
};

// A place for one process. Written by that process under the lock of its cgroup, and
// by the driver when it has reaped it; read by the driver when all are paused.
struct Slot {
  std::atomic<SlotState> state;
  std::atomic<pid_t> pid;
  uint32_t cgroup;
  uint32_t unprivileged;  // runs as Board::user
  uint32_t leaks;         // provokes the drift of VmLck, and has no other life
  uint32_t leaderless;    // its first thread has ended, so /proc/PID/status shows a zombie
  uint32_t generation;    // of programs that ran here
  uint32_t executing;     // the program before let go of everything by execve
  uid_t user;
  uint32_t locks_future;
  uint64_t locked_bytes;
  uint64_t secret_bytes;  // of locked_bytes: memfd_secret
  uint64_t peak_bytes;    // of locked_bytes since the process was made
  uint64_t pinned_bytes;
  uint64_t charged_bytes;  // to the user: rings and registered buffers
  uint64_t leaked_bytes;   // of locked_bytes: in no mapping
  uint64_t child_bytes;    // locked by a child that its parent waits for
  Segment segments[kSegmentsASlot];
};

// Sums over the processes of one cgroup, without those below.
struct CgroupBook {
  SharedLock lock;  // held over every system call that changes the sum
  uint64_t locked_bytes;
  uint64_t peak_bytes;
};

// How this kernel counts what differs from one to another; found by trying.
struct Kernel {
  uint32_t has_rings;
  uint32_t ring_pages;            // that a ring charges to its user
  uint32_t pins_with_capability;  // VmPin moves for those who have CAP_IPC_LOCK
  uint32_t has_secret_memory;
  uint32_t secret_memory_in_locked;  // VmLck counts it
};

struct Board {
  std::atomic<uint32_t> stop;  // odd: pause
  uint32_t slots;
  uint64_t seed;
  uid_t user;
  int program_fd;               // of the worker's own executable
  int processes_fds[kCgroups];  // cgroup.procs, opened by root
  int first_key;                // of the segments; then by slot and number
  Kernel kernel;
  std::atomic<uint64_t> operations[kKinds];
  std::atomic<uint64_t> refused;  // of those: system calls that failed, as they had to
  std::atomic<uint32_t> errors;
  char first_error[256];
  CgroupBook cgroups[kCgroups];
  Slot of[kMaxSlots];
};

// Counts an error and keeps the text of the first.
void Complain(Board& board, const char* format, ...) __attribute__((format(printf, 2, 3)));

// Maps the board behind `fd`; nullptr: it cannot.
Board* MapBoard(int fd);

}  // namespace truth
