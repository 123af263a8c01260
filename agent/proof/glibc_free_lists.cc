// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/glibc_free_lists.h"

#include <algorithm>

#include "agent/proof/glibc_layout.h"

namespace pagewarden {
namespace {

// The data segments that are searched for the main arena. The C library's is
// under 64 KiB; programs that are linked statically have larger ones.
constexpr uint64_t kMaxSegmentBytes = 8 << 20;

class FreeLists {
 public:
  FreeLists(RemoteWords& words, std::vector<GlibcHeap>& heaps) : words_(words), heaps_(heaps) {}

  // The chunk that begins at `address`, has `size` and is in use, as far as its
  // neighbour knows; or nullptr.
  GlibcChunk* Chunk(uint64_t address, uint64_t size) {
    for (GlibcHeap& heap : heaps_) {
      if (address < heap.range.start || address >= heap.range.end) continue;
      const auto chunk = std::lower_bound(
          heap.chunks.begin(), heap.chunks.end(), address,
          [](const GlibcChunk& chunk, uint64_t wanted) { return chunk.address < wanted; });
      const bool fits = chunk != heap.chunks.end() && chunk->address == address &&
                        chunk->size == size && !chunk->is_free;
      return fits ? &*chunk : nullptr;
    }
    return nullptr;
  }

  // Follows a list of chunks. Its links lie at the start of their blocks and name
  // the next one's chunk, or its block. False: it leaves the heaps, meets a chunk
  // of another size, or meets one twice.
  bool Follow(uint64_t link, uint64_t named_offset, uint64_t size,
              std::vector<GlibcChunk*>& listed) {
    while (link != 0) {
      const uint64_t block = link - named_offset + glibc::kBlockOffset;
      GlibcChunk* const chunk = Chunk(block - glibc::kBlockOffset, size);
      uint64_t masked = 0;
      if (chunk == nullptr || !words_.Get(block, masked)) return false;
      chunk->is_free = true;  // so that a circle ends
      listed.push_back(chunk);
      link = glibc::Reveal(block, masked);
    }
    return true;
  }

  // All or nothing: what only looks like lists marks no chunk.
  bool Take(bool complete, const std::vector<GlibcChunk*>& listed) {
    for (GlibcChunk* chunk : listed) chunk->is_free = complete;
    return complete;
  }

  bool TakeThreadCache(const GlibcChunk& chunk) {
    glibc::ThreadCache cache;
    if (!words_.Get(chunk.address + glibc::kBlockOffset, cache)) return false;
    std::vector<GlibcChunk*> listed;
    for (int bin = 0; bin < glibc::kCacheBins; ++bin) {
      const size_t before = listed.size();
      const bool complete =
          Follow(cache.entries[bin], glibc::kBlockOffset, glibc::CacheBinChunk(bin), listed) &&
          listed.size() - before == cache.counts[bin];
      if (!complete) return Take(false, listed);
    }
    return Take(true, listed);
  }

  bool TakeFastBins(uint64_t arena) {
    std::vector<GlibcChunk*> listed;
    for (int bin = 0; bin < glibc::kFastBins; ++bin) {
      uint64_t chunk = 0;
      if (!words_.Get(arena + glibc::kFastBinsOffset + bin * sizeof(chunk), chunk)) {
        return Take(false, listed);
      }
      if (!Follow(chunk, 0, glibc::FastBinChunk(bin), listed)) return Take(false, listed);
    }
    return Take(true, listed);
  }

  // True if a last chunk of a heap is the rest that its arena cuts new ones from.
  bool TakeTop(uint64_t arena) {
    uint64_t top = 0;
    if (!words_.Get(arena + glibc::kTopOffset, top)) return false;
    for (GlibcHeap& heap : heaps_) {
      if (heap.chunks.empty() || heap.chunks.back().address != top) continue;
      heap.chunks.back().is_free = true;
      return true;
    }
    return false;
  }

  // The arenas are a circle: another's address stands in its `next`.
  bool LooksLikeMainArena(uint64_t arena) {
    uint64_t next = 0;
    if (!words_.Get(arena + glibc::kNextOffset, next)) return false;
    return next == arena ||
           std::any_of(heaps_.begin(), heaps_.end(),
                       [next](const GlibcHeap& heap) { return heap.arena == next; });
  }

 private:
  RemoteWords& words_;
  std::vector<GlibcHeap>& heaps_;
};

// It has no symbol, but it points to the last chunk of [heap], and only it looks
// so behind that pointer.
uint64_t FindMainArena(uint64_t top, const std::vector<ElfData>& data, RemoteWords& words,
                       FreeLists& lists) {
  for (const ElfData& segment : data) {
    if (segment.range.end - segment.range.start > kMaxSegmentBytes) continue;
    for (uint64_t at = segment.range.start; at + sizeof(uint64_t) <= segment.range.end;
         at += sizeof(uint64_t)) {
      uint64_t word = 0;
      if (!words.Get(at, word)) break;
      if (word == top && lists.LooksLikeMainArena(at - glibc::kTopOffset)) {
        return at - glibc::kTopOffset;
      }
    }
  }
  return 0;
}

}  // namespace

bool MarkFreeLists(const std::vector<ElfData>& data, RemoteWords& words,
                   std::vector<GlibcHeap>& heaps) {
  FreeLists lists(words, heaps);
  bool complete = true;
  for (GlibcHeap& heap : heaps) {
    if (heap.arena == 0 && !heap.chunks.empty()) {
      heap.arena = FindMainArena(heap.chunks.back().address, data, words, lists);
    }
  }
  std::vector<uint64_t> arenas;
  for (const GlibcHeap& heap : heaps) arenas.push_back(heap.arena);
  std::sort(arenas.begin(), arenas.end());
  arenas.erase(std::unique(arenas.begin(), arenas.end()), arenas.end());
  for (const uint64_t arena : arenas) {
    complete &= arena != 0 && lists.TakeTop(arena) && lists.TakeFastBins(arena);
  }
  int caches = 0;
  for (const GlibcHeap& heap : heaps) {
    for (const GlibcChunk& chunk : heap.chunks) {
      if (chunk.size != glibc::kThreadCacheChunk || chunk.is_free) continue;
      caches += lists.TakeThreadCache(chunk);
    }
  }
  return complete && caches > 0;
}

const GlibcChunk* FindChunk(const GlibcHeap& heap, uint64_t address) {
  if (heap.chunks.empty() || address < heap.chunks.front().address + glibc::kSizeOffset) {
    return nullptr;
  }
  const auto after = std::upper_bound(
      heap.chunks.begin(), heap.chunks.end(), address - glibc::kSizeOffset,
      [](uint64_t wanted, const GlibcChunk& chunk) { return wanted < chunk.address; });
  return &*std::prev(after);
}

}  // namespace pagewarden
