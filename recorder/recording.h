// SPDX-License-Identifier: Apache-2.0
// The recording: what `pagewarden learn` and the recorder in the programs share,
// a file that all of them map.
//
//   header | processes | modules | stacks | windows | slots
//
// The agent writes header, windows and slots before any program starts; the rest
// is filled in by the programs, without locks: one may end at any instant. The
// secret is there only as keyed hashes of its 8-byte windows (SipHash-2-4).
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace pagewarden::recording {

inline constexpr char kMagic[8] = {'P', 'W', 'R', 'E', 'C', 'O', 'R', 'D'};
inline constexpr uint32_t kVersion = 1;

// Path of the recording. Without it the recorder only forwards.
inline constexpr char kVariable[] = "PAGEWARDEN_RECORDING";

inline constexpr uint32_t kMaxProcesses = 1024;
inline constexpr uint32_t kMaxModules = 512;
inline constexpr uint32_t kMaxStacks = 1 << 15;  // a power of two
inline constexpr uint32_t kMaxDepth = 4;
inline constexpr uint32_t kMaxBuildIdBytes = 32;
inline constexpr uint32_t kWindowBytes = 8;
inline constexpr uint32_t kNoStack = UINT32_MAX;
inline constexpr uint32_t kSizeClasses = 48;

// Requests of 2^(n-1)+1 to 2^n bytes are of class n; larger ones of the last.
constexpr uint32_t SizeClass(uint64_t bytes) {
  uint32_t size_class = 0;
  while (size_class < kSizeClasses - 1 && (uint64_t{1} << size_class) < bytes) ++size_class;
  return size_class;
}

enum class Mode : uint32_t {
  kRecord = 0,  // stacks, blocks, hits
  kCount = 1,   // only Process::allocations
};

enum class State : uint32_t { kFree = 0, kClaimed = 1, kReady = 2 };

struct Table {
  uint64_t offset;  // into the file, 8-aligned
  uint64_t count;
};

struct Header {
  char magic[8];
  uint32_t version;
  Mode mode;
  uint64_t bytes;  // of the whole file
  uint64_t hash_key[2];
  uint64_t step;  // distance of the positions in memory to look at: 1 or kWindowBytes
  Table processes;
  Table modules;
  Table stacks;
  Table windows;  // of all needles, one needle after another
  Table slots;    // uint32_t: index into windows plus 1; open addressing by hash
  uint64_t lost;  // allocations without a stack: the table was full
};

struct Process {
  int32_t pid;
  int32_t parent;        // 0: not forked by a recorded process, or since then another program
  uint64_t blocks;       // address of its Block table in the process
  uint64_t block_slots;  // entries of it
  uint64_t allocations;  // with those of its parent before the fork
};

struct Module {
  State state;
  uint32_t build_id_bytes;
  uint8_t build_id[kMaxBuildIdBytes];
  uint32_t is_executable;  // not a library
  char path[212];          // NUL-terminated
};

struct Frame {
  uint64_t offset;  // of the return address, in the ELF file's own address space
  uint32_t module;
  uint32_t reserved;
};

struct Stack {
  uint64_t key;  // hash of the frames; 0: free
  State state;
  uint32_t depth;
  Frame frames[kMaxDepth];             // innermost first
  uint64_t allocations[kSizeClasses];  // by size class
  uint64_t hits;         // blocks that held a secret when they were freed, resized or left at exit
  uint64_t hit_classes;  // a bit for each size class of those
};

struct Window {
  uint64_t hash;
  uint32_t needle;
  uint32_t min_run;  // intact bytes that make a copy of this needle
};

enum class BlockKind : uint32_t { kHeap = 0, kMapping = 1 };

// In the process's own memory; a hash table by address.
struct Block {
  uint64_t address;  // 0: free
  uint64_t bytes;
  uint32_t stack;  // index into stacks, or kNoStack
  BlockKind kind;
  uint64_t requested;  // bytes asked for: `bytes` is what may be used
};

static_assert(sizeof(Header) == 136);
static_assert(sizeof(Process) == 32);
static_assert(sizeof(Module) == 256);
static_assert(sizeof(Stack) == 480);
static_assert(sizeof(Window) == 16);
static_assert(sizeof(Block) == 32);

}  // namespace pagewarden::recording
