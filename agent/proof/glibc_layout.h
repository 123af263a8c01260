// SPDX-License-Identifier: Apache-2.0
// The C library's malloc as it lies in memory: glibc 2.32 to 2.41 on 64-bit
// machines (malloc/malloc.c and malloc/arena.c there). Heaps of other versions
// do not pass the walk's checks, and nothing is said about their chunks.
#pragma once

#include <cstdint>

namespace pagewarden::glibc {

// struct malloc_chunk: the size of the one before (if that is free), the size of
// this one with flags, then the block.
inline constexpr uint64_t kSizeOffset = 8;
inline constexpr uint64_t kBlockOffset = 16;
inline constexpr uint64_t kAlignment = 16;
inline constexpr uint64_t kMinChunk = 32;
inline constexpr uint64_t kPreviousInUse = 1;
inline constexpr uint64_t kFlags = 7;

// struct malloc_state
inline constexpr uint64_t kFastBinsOffset = 16;
inline constexpr int kFastBins = 10;
inline constexpr uint64_t kTopOffset = 96;
inline constexpr uint64_t kNextOffset = 2160;
inline constexpr uint64_t kStateBytes = 2200;
inline constexpr uint64_t kMaxFastChunk = 176;

// struct _heap_info, at the start of each heap of a thread's arena
inline constexpr uint64_t kHeapAlignment = uint64_t{64} << 20;
inline constexpr uint64_t kHeapInfoBytes[] = {48, 32};  // since 2.35, before
struct HeapInfo {
  uint64_t arena;
  uint64_t previous;
  uint64_t size;
  uint64_t accessible;
};

// struct tcache_perthread_struct, the block of a chunk of its own
inline constexpr int kCacheBins = 64;
struct ThreadCache {
  uint16_t counts[kCacheBins];
  uint64_t entries[kCacheBins];  // blocks, not chunks
};
inline constexpr uint64_t kThreadCacheChunk = 0x290;
static_assert(kBlockOffset + sizeof(ThreadCache) == kThreadCacheChunk);

// PROTECT_PTR: a list's pointers are masked by where they lie.
inline uint64_t Reveal(uint64_t address, uint64_t masked) { return address >> 12 ^ masked; }

inline uint64_t CacheBinChunk(int bin) {
  return kMinChunk + static_cast<uint64_t>(bin) * kAlignment;
}
inline uint64_t FastBinChunk(int bin) {
  return kMinChunk + static_cast<uint64_t>(bin) * kAlignment;
}

}  // namespace pagewarden::glibc
