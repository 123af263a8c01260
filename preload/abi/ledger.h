// SPDX-License-Identifier: Apache-2.0
// The ledger: what the shim did in this process, for the agent to read.
//
// It lives on pages of its own at the start of the shim's writable data, so it
// needs no file, no descriptor and no system call, follows fork by copy on
// write, and survives chroot, setuid and closefrom. The agent finds it through
// /proc/PID/maps: a writable mapping of libpagewarden.so with kLedgerMagic on
// a page boundary whose `self` is that address. The process can write it at
// will: a reader must treat every field as hostile.
//
// Counters are written with relaxed atomics under the arena's lock; a reader
// sees each one whole, but not all of them at one instant.
#pragma once

#include <stdint.h>

namespace pagewarden::abi {

inline constexpr char kLedgerMagic[8] = {'P', 'W', 'L', 'E', 'D', 'G', 'E', 'R'};
inline constexpr uint32_t kLedgerVersion = 1;
inline constexpr uint32_t kMaxLedgerArenas = 8;

enum class ShimState : uint32_t {
  kStarting = 0,
  kInactive = 1,   // no policy selects this executable
  kActive = 2,     // tagged allocations go to the arenas
  kUncovered = 3,  // a policy selects it, but it cannot be enforced: see `uncovered`
};

enum class Uncovered : uint32_t {
  kNone = 0,
  kDisabled = 1,         // PAGEWARDEN_DISABLED, or mode: Disabled
  kNoImage = 2,          // there is no image
  kImageUntrusted = 3,   // owner or mode of the image file
  kImageInvalid = 4,     // magic, version, checksum or bounds
  kShadowed = 5,         // another object defines malloc before the shim
  kNoReservation = 6,    // mmap failed (RLIMIT_AS, seccomp)
  kLockFailed = 7,       // nothing could be locked (RLIMIT_MEMLOCK, seccomp)
  kNoNextAllocator = 8,  // no malloc after the shim: libc-free program
};

enum Fallback : uint32_t {
  kFallbackCapacity = 0,  // arena full
  kFallbackTooLarge = 1,  // request larger than the arena
  kFallbackReentry = 2,   // tagged call inside the arena's own critical section
  kFallbackUnlocked = 3,  // in the arena, but the arena could not be locked
  kFallbackReasons = 4,
};

struct LedgerArena {
  char name[32];  // NUL-terminated
  uint64_t base;  // first data byte
  uint64_t capacity_bytes;
  uint64_t locked_bytes;  // locked in this process; below capacity = not fenced
  uint64_t used_bytes;    // slots and page runs in use, canaries included
  uint64_t peak_used_bytes;
  uint64_t live_allocations;
  uint64_t total_allocations;
  uint64_t fallbacks[kFallbackReasons];  // tagged, but not in locked memory
};
static_assert(sizeof(LedgerArena) == 120);

struct Ledger {
  char magic[8];
  uint32_t version;
  uint32_t bytes;  // sizeof(Ledger)
  uint64_t self;   // the ledger's own address
  uint32_t pid;
  ShimState state;
  Uncovered uncovered;
  uint32_t mode;    // abi::Mode
  char policy[64];  // name of the selected policy, NUL-terminated
  uint64_t fence_base;
  uint64_t fence_bytes;   // the whole reservation; arenas lie inside
  uint64_t relocks;       // arenas locked again after fork
  uint64_t lock_errors;   // failed lock calls
  uint32_t lock_errno;    // of the last one
  uint32_t arena_count;
  uint64_t scopes_bound;  // hooked functions found in this process
  uint64_t audited;       // mode: Audit: allocations that Enforce would have moved
  LedgerArena arenas[kMaxLedgerArenas];
};
static_assert(sizeof(Ledger) == 160 + 8 * sizeof(LedgerArena));
static_assert(sizeof(Ledger) <= 4096);

}  // namespace pagewarden::abi
