// SPDX-License-Identifier: Apache-2.0
// Tells which blocks of the C library's malloc are free, from outside: a freed
// block keeps its bytes until somebody else's overwrite them.
//
//   const GlibcHeaps heaps = GlibcHeaps::Walk(mappings, data, words);
//   if (heaps.Contains(address) && heaps.At(address) == ChunkState::kFreed) …
//
// It believes what it reads only if all of it fits together; the process may
// write these structures at will, and one that runs meanwhile may be in the
// midst of a change. Work and memory are bounded by the heaps' size.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/proc/mappings.h"
#include "agent/proof/elf_data.h"
#include "agent/proof/page_map.h"
#include "agent/proof/remote_words.h"

namespace pagewarden {

enum class ChunkState { kUnknown, kLive, kFreed };

struct GlibcChunk {
  uint64_t address = 0;
  uint64_t size = 0;
  bool is_free = false;
};

// [heap], or one of the heaps of a thread's arena.
struct GlibcHeap {
  AddressRange range;
  uint64_t first_chunk = 0;
  uint64_t arena = 0;              // struct malloc_state; 0: not found
  std::vector<GlibcChunk> chunks;  // ascending; empty: the walk failed
};

class GlibcHeaps {
 public:
  static GlibcHeaps Walk(const std::vector<Mapping>& mappings, const std::vector<ElfData>& data,
                         RemoteWords& words);

  bool Contains(uint64_t address) const { return Find(address) != nullptr; }
  ChunkState At(uint64_t address) const;

 private:
  const GlibcHeap* Find(uint64_t address) const;

  std::vector<GlibcHeap> heaps_;
  bool has_free_lists_ = false;
};

}  // namespace pagewarden
