// SPDX-License-Identifier: Apache-2.0
// The ledger: what the shim did in this process, for the agent to read.
//
// Its header lies on a page of its own at the start of the shim's writable data,
// so it needs no file, no descriptor and no system call, follows fork by copy on
// write, and survives chroot, setuid and closefrom. The agent finds it through
// /proc/PID/maps: a writable mapping of libpagewarden.so with kLedgerMagic on
// a page boundary whose `self` is that address. Two tables lie inside the fence's
// reservation, one row a tag, and one row of books a thread slot:
//
//   tags:   LedgerTag [tag_count]
//   books:  LedgerBook[book_rows][tag_count]
//
// A tag is a rule of the policy or an arena that the program asks for by name
// (pagewarden.h). At first those of the rules come first, in the policy's order; rules
// that a live image (live_image.h) brings later take spare rows, as its new arenas do, and one
// of the same name and arena goes on with the row that it had. The process can write all of it at will: a
// reader must treat every field as hostile.
//
// Each book is written by one thread at a time and only ever counts up, so the
// fast path needs no locked instruction and no update is lost: what is live is
// the sum of what came minus the sum of what went, over all rows. A reader sees
// each word whole, but not all of them at one instant.
#pragma once

#include <stdint.h>

namespace pagewarden::abi {

inline constexpr char kLedgerMagic[8] = {'P', 'W', 'L', 'E', 'D', 'G', 'E', 'R'};
inline constexpr uint32_t kLedgerVersion = 5;
inline constexpr uint32_t kMaxLedgerArenas = 8;
inline constexpr uint32_t kMaxLedgerTags = 1024 + kMaxLedgerArenas;
inline constexpr uint32_t kMaxBookRows = 64;

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
  kNoForkHandler = 9,    // children of fork cannot be locked again
  kSanitizer = 10,       // a sanitizer's runtime insists on coming first
};

// Why a tagged allocation is not in locked memory.
enum Fallback : uint32_t {
  kFallbackCapacity = 0,     // arena full, and it could not grow
  kFallbackTooLarge = 1,     // request larger than the arena
  kFallbackReentry = 2,      // tagged call from a signal handler inside the arena's own code
  kFallbackUnlocked = 3,     // in the arena, but the arena could not be locked
  kFallbackForked = 4,       // in a fork child that the arena is not passed on to
  kFallbackSizeUnknown = 5,  // a plain block, resized, of an allocator that tells no sizes
  kFallbackReasons = 6,
};

// Proven misuse. The program is ended after the count, which a core dump shows.
enum Violation : uint32_t {
  kViolationCanary = 0,  // a write past the end of a block
  kViolationDoubleFree = 1,
  kViolationWildFree = 2,  // inside a block, or where none is
  kViolations = 3,
};

enum class ArenaBacking : uint32_t {
  kUnlocked = 0,         // guards, canaries and wiping only
  kLockedAnonymous = 1,  // mlock2(2), mmap(2) with MAP_LOCKED
  kSecretMemory = 2,     // memfd_secret(2): not even the kernel's direct map has it
  kNotInherited = 3,     // a fork child's, under onFork: Exclude
};

struct LedgerArena {
  char name[32];            // NUL-terminated
  uint64_t base;            // first data byte
  uint64_t capacity_bytes;  // accessible now; more than the policy says after growth
  uint64_t locked_bytes;    // of those, locked in this process
  uint64_t page_bytes;      // pages in use by slabs and large blocks
  uint64_t peak_page_bytes;
  uint64_t growths;  // times it grew
  ArenaBacking backing;
  uint32_t reserved;
};
static_assert(sizeof(LedgerArena) == 88);

enum class TagKind : uint32_t {
  kSpare = 0,  // not in use yet
  kRule = 1,
  kArena = 2,
  kRemovedRule = 3,  // no longer in force: what it has in the fence stays there
};

// Whether the process takes up policies that are published later.
enum class Follows : uint32_t {
  kNothing = 0,
  kLiveImage = 1,
  kNoMore = 2,  // the live image ended, or there is no room for more: after a restart
};

struct LedgerTag {
  char name[32];   // the rule's, or the arena's; NUL-terminated
  uint32_t arena;  // index into Ledger::arenas
  TagKind kind;
  uint64_t peak_bytes;  // sampled when a thread fetches free slots: exact to 15 blocks a thread
  uint64_t audited;     // mode: Audit: allocations that Enforce would have moved
  uint64_t fallbacks[kFallbackReasons];
};
static_assert(sizeof(LedgerTag) == 104);

struct LedgerBook {
  uint64_t allocations;
  uint64_t frees;
  uint64_t bytes_in;  // slots and page runs, canaries included
  uint64_t bytes_out;
};
static_assert(sizeof(LedgerBook) == 32);

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
  uint64_t fence_bytes;  // the whole reservation; arenas and tables lie inside
  uint64_t relocks;      // arenas locked again after fork
  uint64_t lock_errors;  // failed lock calls
  uint32_t lock_errno;   // of the last one
  uint32_t arena_count;
  uint64_t scopes_bound;     // hooked functions found in this process
  uint64_t namespaces;       // dlmopen calls: each may load a libc that the shim is not in
  uint64_t reentered_frees;  // by signal handlers inside the arena's own code: leaked, wiped
  uint64_t violations[kViolations];
  uint64_t tags_base;   // inside the fence
  uint64_t books_base;  // inside the fence
  uint32_t tag_count;
  uint32_t rule_count;  // in force
  uint32_t book_rows;
  uint32_t scopes_in_executable;  // hooked functions that the executable itself defines: calls
                                  // within it are out of reach
  uint64_t pinned_bytes;          // locked in place, outside the arenas
  uint64_t unpinned_bytes;        // that the policy says to pin, and that could not be locked
  uint64_t pin_errors;            // failed lock calls for those
  uint32_t pin_errno;             // of the last one
  uint32_t files_missed;          // with secrets, that were open beyond what there is room for
  Follows follows;
  uint32_t generation;      // of the live image in force; 0: the image never changes
  uint32_t rules_waiting;   // parts of its policy that only a restart brings into force
  uint32_t images_refused;  // published, and not valid here
  LedgerArena arenas[kMaxLedgerArenas];
};
static_assert(sizeof(Ledger) == 272 + 8 * sizeof(LedgerArena));
static_assert(sizeof(Ledger) <= 4096);

}  // namespace pagewarden::abi
