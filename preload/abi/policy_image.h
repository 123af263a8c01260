// SPDX-License-Identifier: Apache-2.0
// The policy image: what the agent compiles from YAML and the shim maps
// read-only before main. Flat, little-endian, position-independent: tables of
// fixed-width records that refer to each other by index, and one string pool.
//
//   header | policies | binaries | arenas | rules | rule slots | functions | pool
//
// A reader must check, in this order: magic, version, image_bytes against the
// file size, checksum, then every table and every reference against the bounds.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace pagewarden::abi {

inline constexpr char kPolicyMagic[8] = {'P', 'W', 'P', 'O', 'L', 'I', 'C', 'Y'};
inline constexpr uint32_t kPolicyImageVersion = 2;
inline constexpr uint64_t kMaxPolicyImageBytes = 4u << 20;
inline constexpr uint32_t kMaxArenasPerPolicy = 8;
inline constexpr uint32_t kMaxRulesPerPolicy = 1024;

// A run of records: entries [first, first + count) of the named table.
struct Range {
  uint32_t first;
  uint32_t count;
};

// A table: `count` records that start `offset` bytes into the image, 8-aligned.
struct Table {
  uint32_t offset;
  uint32_t count;
};

// A string in the pool: `bytes` long, followed by a NUL that is not counted.
struct Text {
  uint32_t offset;  // into the pool
  uint32_t bytes;
};

enum class Mode : uint32_t { kDisabled = 0, kAudit = 1, kEnforce = 2 };

// What a child of fork gets of an arena.
enum class OnFork : uint32_t {
  kRelock = 0,   // the contents, locked again
  kWipe = 1,     // zeros (MADV_WIPEONFORK); the child may go on allocating
  kExclude = 2,  // nothing (MADV_DONTFORK): touching it is SIGSEGV
};
enum class OnLockFailure : uint32_t { kAllocateUnlocked = 0, kFail = 1 };
enum class OnCapacityExhausted : uint32_t { kAllocateUnlocked = 0, kFail = 1, kGrow = 2 };

// The kernel memory behind an arena, in the order to try.
enum class Backing : uint8_t { kNone = 0, kLockedAnonymous = 1, kSecretMemory = 2 };
inline constexpr uint32_t kMaxBackings = 2;

enum ArenaFlags : uint32_t {
  kArenaCanary = 1u << 0,
  kArenaExcludeFromCoreDump = 1u << 1,
};

enum class RuleForm : uint32_t {
  kDuring = 1,  // allocations in the dynamic extent of one of the rule's functions
  kAll = 2,     // every allocation
};

struct PolicyImageHeader {
  char magic[8];
  uint32_t version;
  uint32_t generation;   // outside the checksum: the agent may bump it in place
  uint64_t checksum;     // of the bytes [offsetof(image_bytes), image_bytes)
  uint64_t image_bytes;  // whole image, header included
  Table policies;        // of PolicyEntry, highest priority first
  Table binaries;        // of Text: absolute paths
  Table arenas;          // of ArenaEntry
  Table rules;           // of RuleEntry
  Table rule_slots;      // of uint32_t: index into functions
  Table functions;       // of Text; entry i is slot i of the scope library
  Table pool;            // of char
};

struct PolicyEntry {
  Text name;
  int32_t priority;
  Mode mode;
  Range binaries;  // none: the policy selects every executable
  Range arenas;    // 1..kMaxArenasPerPolicy
  Range rules;     // 0..kMaxRulesPerPolicy, highest precedence first
};

struct ArenaEntry {
  Text name;
  uint64_t capacity_bytes;  // multiple of 4096
  uint32_t flags;           // ArenaFlags
  OnFork on_fork;
  OnLockFailure on_lock_failure;
  OnCapacityExhausted on_capacity_exhausted;
  Backing backing[kMaxBackings];  // kNone ends the list
  uint8_t reserved[6];
};

struct RuleEntry {
  Text name;
  RuleForm form;
  uint32_t arena;     // index into the image's arenas, within the policy's range
  uint64_t min_bytes;  // requests outside [min, max] do not match
  uint64_t max_bytes;
  Range slots;  // into rule_slots; empty for kAll
};

static_assert(sizeof(PolicyImageHeader) == 88);
static_assert(sizeof(PolicyEntry) == 40);
static_assert(sizeof(ArenaEntry) == 40);
static_assert(sizeof(RuleEntry) == 40);

inline constexpr size_t kChecksumStart = offsetof(PolicyImageHeader, image_bytes);

}  // namespace pagewarden::abi
