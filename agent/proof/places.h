// SPDX-License-Identifier: Apache-2.0
// What kind of memory an address of a process is in, and whether what lies
// there is still in use.
//
//   const Places places(ProcessView{...});
//   const Place place = places.At(copy.address);
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "agent/proc/mappings.h"
#include "agent/proof/elf_data.h"
#include "agent/proof/glibc_heap.h"
#include "agent/proof/process_stat.h"
#include "agent/proof/remote_words.h"
#include "agent/proof/threads.h"
#include "agent/shim/shim_state.h"

namespace pagewarden {

enum class PlaceKind {
  kArena,         // of libpagewarden.so
  kHeap,          // the C library's malloc: [heap] and its threads' arenas
  kFreedChunk,    // the same, and the block is free
  kStack,         // of the main thread
  kThreadStack,   // of another one
  kEnvironment,   // the strings of environ and argv above the first stack
  kData,          // .data and .bss of a program or library
  kSharedMemory,  // MAP_SHARED without a file of a disk: anonymous, memfd, /dev/shm, SysV
  kFileMapping,   // of any other file
  kAnonymous,     // any other private memory: mmap pools, other allocators
};

// "Arena", "Heap", "FreedChunk", …
const char* PlaceKindName(PlaceKind kind);

// Shared memory that no disk's file is behind, or anonymous.
bool IsMemoryOnly(const Mapping& mapping);

struct Place {
  PlaceKind kind = PlaceKind::kAnonymous;
  // True: nothing owns these bytes any more (a freed block, the stack below its
  // pointer). False: something does. nullopt: nobody can tell.
  std::optional<bool> stale;
};

// What is known of a process. `threads` may lack some, and `stat` may be empty.
struct ProcessView {
  pid_t pid = 0;
  std::vector<Mapping> mappings;
  std::vector<Thread> threads;
  ProcessStat stat;
  std::optional<ShimState> shim;
};

class Places {
 public:
  // Keeps a reference to `view`. Reads the heaps' books through `read`.
  Places(const ProcessView& view, ReadMemory read);

  Place At(uint64_t address) const;

 private:
  struct Stack {
    AddressRange range;
    uint64_t pointer = 0;  // 0: unknown
    bool is_main = false;
  };

  void FindStacks();
  std::optional<Place> InArena(uint64_t address) const;
  std::optional<Place> InStack(uint64_t address) const;
  std::optional<Place> InHeap(uint64_t address) const;
  Place InMapping(uint64_t address) const;

  const ProcessView& view_;
  RemoteWords words_;
  std::vector<ElfData> data_;
  GlibcHeaps heaps_;
  std::vector<Stack> stacks_;
};

}  // namespace pagewarden
