// SPDX-License-Identifier: Apache-2.0
// The recorder stands behind libpagewarden.so in LD_PRELOAD and is its next
// allocator: it sees what the policy does not fence, with the program's own
// return addresses, since the shim's jumps leave them in place.
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "recorder/ledger.h"
#include "recorder/next.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace pagewarden::recorder {
namespace {

using recording::Block;
using recording::BlockKind;

// Programs may use all that malloc_usable_size tells, and some do.
void* Noted(const Next& next, void* block, size_t requested) {
  if (block != nullptr) {
    NoteAllocation(block, requested, next.malloc_usable_size(block), BlockKind::kHeap);
  }
  return block;
}

void Free(void* block) {
  if (block == nullptr || IsEarly(block)) return;
  const Next* next = FindNext();
  if (next == nullptr) return;
  Block was;
  if (NoteEnd(block, &was)) explicit_bzero(block, was.bytes);
  next->free(block);
}

// Of a block that holds a secret no chunk may stay behind unseen.
void* MoveAndWipe(const Next& next, void* block, const Block& was, size_t bytes) {
  void* const target = next.malloc(bytes);
  if (target == nullptr) {
    NoteStays(was);
    return nullptr;
  }
  memcpy(target, block, was.bytes < bytes ? was.bytes : bytes);
  explicit_bzero(block, was.bytes);
  next.free(block);
  return target;
}

void* Allocate(size_t bytes) {
  const Next* next = FindNext();
  if (next == nullptr) return EarlyAllocate(bytes);
  return Noted(*next, next->malloc(bytes), bytes);
}

void* MoveEarly(const void* block, size_t bytes) {
  void* const target = Allocate(bytes);
  const size_t used = EarlyBytes(block);
  if (target != nullptr) memcpy(target, block, used < bytes ? used : bytes);
  return target;
}

}  // namespace

EXPORT void* malloc(size_t bytes) { return Allocate(bytes); }

EXPORT void* calloc(size_t count, size_t bytes) {
  size_t total;
  if (__builtin_mul_overflow(count, bytes, &total)) {
    errno = ENOMEM;
    return nullptr;
  }
  const Next* next = FindNext();
  if (next == nullptr) return EarlyAllocate(total);  // never used before: zero
  return Noted(*next, next->calloc(count, bytes), total);
}

EXPORT void* realloc(void* block, size_t bytes) {
  const Next* next = FindNext();
  if (block == nullptr || next == nullptr) return Allocate(bytes);
  if (IsEarly(block)) return MoveEarly(block, bytes);
  if (bytes == 0) {
    Free(block);
    return nullptr;
  }
  Block was;
  const bool is_hit = NoteEnd(block, &was);
  void* const moved = is_hit ? MoveAndWipe(*next, block, was, bytes) : next->realloc(block, bytes);
  if (moved == nullptr && !is_hit) NoteStays(was);
  return Noted(*next, moved, bytes);
}

EXPORT void free(void* block) { Free(block); }

EXPORT int posix_memalign(void** out, size_t alignment, size_t bytes) {
  const Next* next = FindNext();
  const int error = next == nullptr ? ENOMEM : next->posix_memalign(out, alignment, bytes);
  if (error == 0) Noted(*next, *out, bytes);
  return error;
}

EXPORT void* aligned_alloc(size_t alignment, size_t bytes) {
  const Next* next = FindNext();
  return next == nullptr ? nullptr : Noted(*next, next->aligned_alloc(alignment, bytes), bytes);
}

EXPORT void* memalign(size_t alignment, size_t bytes) {
  const Next* next = FindNext();
  return next == nullptr ? nullptr : Noted(*next, next->memalign(alignment, bytes), bytes);
}

EXPORT void* valloc(size_t bytes) {
  const Next* next = FindNext();
  return next == nullptr ? nullptr : Noted(*next, next->valloc(bytes), bytes);
}

EXPORT void* pvalloc(size_t bytes) {
  const Next* next = FindNext();
  return next == nullptr ? nullptr : Noted(*next, next->pvalloc(bytes), bytes);
}

EXPORT size_t malloc_usable_size(void* block) {
  const Next* next = FindNext();
  if (block == nullptr || next == nullptr || IsEarly(block)) return 0;
  return next->malloc_usable_size(block);
}

EXPORT void* mmap(void* at, size_t bytes, int protection, int flags, int fd, off_t offset) {
  const Next* next = FindNext();
  if (next == nullptr) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  void* const mapping = next->mmap(at, bytes, protection, flags, fd, offset);
  const bool is_memory = mapping != MAP_FAILED && (flags & MAP_ANONYMOUS) != 0;
  if (is_memory) NoteAllocation(mapping, bytes, bytes, BlockKind::kMapping);
  return mapping;
}

EXPORT void* mmap64(void* at, size_t bytes, int protection, int flags, int fd, off_t offset) {
  return mmap(at, bytes, protection, flags, fd, offset);
}

EXPORT int munmap(void* mapping, size_t bytes) {
  const Next* next = FindNext();
  if (next == nullptr) return 0;
  Block was;
  NoteEnd(mapping, &was);
  return next->munmap(mapping, bytes);
}

}  // namespace pagewarden::recorder
