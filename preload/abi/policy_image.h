// SPDX-License-Identifier: Apache-2.0
// The policy image: what the agent compiles from YAML and the shim maps
// read-only before main. Flat, little-endian, position-independent: tables of
// fixed-width records that refer to each other by index, and one string pool.
//
//   header | policies | selectors | binaries | arenas | rules | rule slots | functions
//          | patterns | callers | signatures | build ids | pool
//
// A reader must check, in this order: magic, version, image_bytes against the
// file size, checksum, then every table and every reference against the bounds.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace pagewarden::abi {

inline constexpr char kPolicyMagic[8] = {'P', 'W', 'P', 'O', 'L', 'I', 'C', 'Y'};
inline constexpr uint32_t kPolicyImageVersion = 4;
inline constexpr uint64_t kMaxPolicyImageBytes = 4u << 20;
inline constexpr uint32_t kMaxArenasPerPolicy = 8;
inline constexpr uint32_t kMaxRulesPerPolicy = 1024;
inline constexpr uint32_t kMaxSignatureDepth = 4;
inline constexpr uint32_t kMaxBuildIdBytes = 32;

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

// Which allocations a rule is for, and the table that its operands are in.
enum class RuleForm : uint32_t {
  kDuring = 1,    // rule_slots: in the dynamic extent of one of these functions
  kAll = 2,       // none: every allocation
  kCallers = 3,   // callers: the nearest caller that is not transparent is one of these
  kStack = 4,     // signatures: the innermost return addresses are one of these
  kReadFrom = 5,  // patterns: by a thread that has a file open with one of these paths
};

enum PolicyFlags : uint32_t {
  kPolicySecureExec = 1u << 0,  // also for programs in secure-execution mode (AT_SECURE)
};

enum PinFlags : uint32_t {
  kPinProcess = 1u << 0,      // all memory, present and future
  kPinEnvironment = 1u << 1,  // arguments and environment, at the top of the main stack
};

struct PolicyImageHeader {
  char magic[8];
  uint32_t version;
  uint32_t generation;   // outside the checksum: the agent may bump it in place
  uint64_t checksum;     // of the bytes [offsetof(image_bytes), image_bytes)
  uint64_t image_bytes;  // whole image, header included
  Table policies;        // of PolicyEntry, highest priority first
  Table selectors;       // of SelectorEntry
  Table binaries;        // of Text: absolute paths
  Table arenas;          // of ArenaEntry
  Table rules;           // of RuleEntry
  Table rule_slots;      // of uint32_t: index into functions
  Table functions;       // of Text; entry i is slot i of the scope library
  Table patterns;        // of Text: `*` stands for any run of characters, `?` for one
  Table callers;         // of CallerEntry
  Table signatures;      // of SignatureEntry
  Table build_ids;       // of BuildId
  Table pool;            // of char
};

// Memory to lock where it is, outside the arenas.
struct PinEntry {
  uint32_t flags;  // PinFlags
  uint32_t reserved;
  uint64_t stack_bytes;  // of each stack, from its top; 0: none
  uint64_t scrub_bytes;  // of the dead stack, zeroed when an extent has ended; 0: none
  Range mappings;        // patterns: modules whose mmap calls are locked
  Range data;            // patterns: modules whose writable segments are locked
};

// Processes that fit each of the keys; one without entries asks for nothing. Parts of the
// path are as cgroup_path.h has them.
struct SelectorEntry {
  Range binaries;  // one is the executable, as /proc/self/exe shows it
  Range units;     // patterns: of a service or scope on the path of the cgroup
  Range slices;    // patterns: of a slice on it
  Range cgroups;   // patterns: of the path, or of one above
};

struct PolicyEntry {
  Text name;
  int32_t priority;
  Mode mode;
  SelectorEntry selector;
  Range exceptions;   // selectors of processes that the policy is not for
  Range arenas;       // 1..kMaxArenasPerPolicy
  Range rules;        // 0..kMaxRulesPerPolicy, highest precedence first
  Range transparent;  // callers: looked through to find who really asks for memory
  uint32_t flags;     // PolicyFlags
  uint32_t reserved;
  PinEntry pin;
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
  uint32_t arena;      // index into the image's arenas, within the policy's range
  uint64_t min_bytes;  // requests outside [min, max] do not match
  uint64_t max_bytes;
  Range operands;  // into the table of its form
  Range threads;   // patterns: only threads with one of these names; none: any thread
};

// A module by the name of its file, or by its path if the pattern has a slash;
// a function by its name among the module's dynamic symbols, empty: any.
struct CallerEntry {
  Text module;
  Text function;
};

struct BuildId {  // of an ELF file, from its NT_GNU_BUILD_ID note
  uint32_t size;
  uint8_t bytes[kMaxBuildIdBytes];
};

// A return address: `offset` from the load address of the module, that is, a
// virtual address of its ELF file.
struct Frame {
  uint64_t offset;
  uint32_t module;  // index into build_ids
  uint32_t reserved;
};

struct SignatureEntry {
  uint32_t depth;  // 1..kMaxSignatureDepth
  uint32_t reserved;
  Frame frames[kMaxSignatureDepth];  // innermost first
};

static_assert(sizeof(PolicyImageHeader) == 128);
static_assert(sizeof(PinEntry) == 40);
static_assert(sizeof(SelectorEntry) == 32);
static_assert(sizeof(PolicyEntry) == 128);
static_assert(sizeof(ArenaEntry) == 40);
static_assert(sizeof(RuleEntry) == 48);
static_assert(sizeof(CallerEntry) == 16);
static_assert(sizeof(BuildId) == 36);
static_assert(sizeof(SignatureEntry) == 72);

inline constexpr size_t kChecksumStart = offsetof(PolicyImageHeader, image_bytes);

}  // namespace pagewarden::abi
