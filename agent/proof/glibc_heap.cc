// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/glibc_heap.h"

#include <algorithm>
#include <utility>

#include "agent/proof/glibc_free_lists.h"
#include "agent/proof/glibc_layout.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxChunks = size_t{1} << 24;

uint64_t AlignUp(uint64_t address, uint64_t alignment) {
  return (address + alignment - 1) / alignment * alignment;
}

// Where the chunks begin in a heap of a thread's arena; 0: it is not one. The
// arena itself lies in its first heap.
uint64_t FirstChunk(uint64_t heap, const glibc::HeapInfo& info) {
  for (const uint64_t info_bytes : glibc::kHeapInfoBytes) {
    const uint64_t after_info = heap + info_bytes;
    if (info.previous != 0 && info.arena % glibc::kHeapAlignment == info_bytes) return after_info;
    if (info.previous == 0 && info.arena == after_info) {
      return AlignUp(after_info + glibc::kStateBytes, glibc::kAlignment);
    }
  }
  return 0;
}

bool ReadThreadHeap(const Mapping& mapping, RemoteWords& words, GlibcHeap& heap) {
  glibc::HeapInfo info;
  if (!words.Get(mapping.start, info)) return false;
  const bool fits = info.size <= info.accessible && info.accessible <= glibc::kHeapAlignment &&
                    info.size <= mapping.end - mapping.start &&
                    info.previous % glibc::kHeapAlignment == 0;
  if (!fits) return false;
  heap.arena = info.arena;
  heap.first_chunk = FirstChunk(mapping.start, info);
  heap.range = {mapping.start, mapping.start + info.size};
  return heap.first_chunk != 0 && heap.first_chunk < heap.range.end;
}

// Neighbours are one mapping to malloc: a lock on a part splits them.
std::vector<Mapping> JoinNeighbours(const std::vector<Mapping>& mappings) {
  std::vector<Mapping> joined;
  for (const Mapping& mapping : mappings) {
    if (mapping.shared || !mapping.readable || !mapping.writable) continue;
    if (!joined.empty() && joined.back().end == mapping.start &&
        joined.back().name == mapping.name) {
      joined.back().end = mapping.end;
    } else {
      joined.push_back(mapping);
    }
  }
  return joined;
}

std::vector<GlibcHeap> FindHeaps(const std::vector<Mapping>& mappings, RemoteWords& words) {
  std::vector<GlibcHeap> heaps;
  for (const Mapping& mapping : JoinNeighbours(mappings)) {
    GlibcHeap heap;
    if (mapping.name == "[heap]") {
      heap.range = {mapping.start, mapping.end};
      heap.first_chunk = AlignUp(mapping.start, glibc::kAlignment);
      heaps.push_back(std::move(heap));
      continue;
    }
    // The kernel may join a heap to older memory above it, never below: that is
    // where the alignment cut it off.
    const bool may_be_heap = mapping.name.empty() && mapping.start % glibc::kHeapAlignment == 0;
    if (may_be_heap && ReadThreadHeap(mapping, words, heap)) heaps.push_back(std::move(heap));
  }
  return heaps;
}

// The last chunks of a heap that its arena has grown out of: 16 bytes, then a
// size of 0.
bool IsFencepost(const GlibcHeap& heap, uint64_t at, uint64_t size) {
  return size < glibc::kMinChunk && heap.range.end - at <= 2 * glibc::kMinChunk;
}

// From size to size; a chunk's own state is in the next one's flags.
std::vector<GlibcChunk> WalkChunks(const GlibcHeap& heap, RemoteWords& words) {
  std::vector<GlibcChunk> chunks;
  for (uint64_t at = heap.first_chunk; at != heap.range.end;) {
    uint64_t header = 0;
    if (heap.range.end - at < glibc::kBlockOffset) return {};
    if (!words.Get(at + glibc::kSizeOffset, header)) return {};
    const uint64_t size = header & ~glibc::kFlags;
    if (!chunks.empty()) chunks.back().is_free = (header & glibc::kPreviousInUse) == 0;
    if (IsFencepost(heap, at, size)) return chunks;
    if (size < glibc::kMinChunk || size % glibc::kAlignment != 0) return {};
    if (size > heap.range.end - at || chunks.size() == kMaxChunks) return {};
    chunks.push_back({at, size, false});
    at += size;
  }
  return chunks;
}

}  // namespace

GlibcHeaps GlibcHeaps::Walk(const std::vector<Mapping>& mappings, const std::vector<ElfData>& data,
                            RemoteWords& words) {
  GlibcHeaps result;
  result.heaps_ = FindHeaps(mappings, words);
  for (GlibcHeap& heap : result.heaps_) heap.chunks = WalkChunks(heap, words);
  result.has_free_lists_ = MarkFreeLists(data, words, result.heaps_);
  return result;
}

const GlibcHeap* GlibcHeaps::Find(uint64_t address) const {
  for (const GlibcHeap& heap : heaps_) {
    if (address >= heap.range.start && address < heap.range.end) return &heap;
  }
  return nullptr;
}

ChunkState GlibcHeaps::At(uint64_t address) const {
  const GlibcHeap* const heap = Find(address);
  const GlibcChunk* const chunk = heap == nullptr ? nullptr : FindChunk(*heap, address);
  if (chunk == nullptr) return ChunkState::kUnknown;
  if (chunk->is_free) return ChunkState::kFreed;
  const bool may_be_listed = chunk->size <= glibc::CacheBinChunk(glibc::kCacheBins - 1);
  return may_be_listed && !has_free_lists_ ? ChunkState::kUnknown : ChunkState::kLive;
}

}  // namespace pagewarden
