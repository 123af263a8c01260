// SPDX-License-Identifier: Apache-2.0
#include "recorder/next.h"

#include <dlfcn.h>

namespace pagewarden::recorder {
namespace {

enum Progress : int { kUnknown = 0, kLooking = 1, kFound = 2 };

Next next = {};
int progress = kUnknown;

alignas(16) char early[64 << 10];
size_t early_used = 0;

template <typename Function>
void Find(Function*& function, const char* name) {
  function = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

void FindAll() {
  Find(next.malloc, "malloc");
  Find(next.calloc, "calloc");
  Find(next.realloc, "realloc");
  Find(next.free, "free");
  Find(next.posix_memalign, "posix_memalign");
  Find(next.aligned_alloc, "aligned_alloc");
  Find(next.memalign, "memalign");
  Find(next.valloc, "valloc");
  Find(next.pvalloc, "pvalloc");
  Find(next.malloc_usable_size, "malloc_usable_size");
  Find(next.mmap, "mmap");
  Find(next.munmap, "munmap");
}

}  // namespace

// The loader calls malloc before there is a second thread: no race to look up.
const Next* FindNext() {
  if (__atomic_load_n(&progress, __ATOMIC_ACQUIRE) == kFound) return &next;
  if (progress == kLooking) return nullptr;
  progress = kLooking;
  FindAll();
  __atomic_store_n(&progress, kFound, __ATOMIC_RELEASE);
  return &next;
}

void* EarlyAllocate(size_t bytes) {
  if (bytes > sizeof(early)) return nullptr;
  const size_t rounded = (bytes + 15) / 16 * 16;
  if (rounded > sizeof(early) - early_used) return nullptr;
  void* const block = early + early_used;
  early_used += rounded;
  return block;
}

size_t EarlyBytes(const void* block) {
  return static_cast<size_t>(early + early_used - static_cast<const char*>(block));
}

bool IsEarly(const void* block) {
  return block >= static_cast<const void*>(early) &&
         block < static_cast<const void*>(early + sizeof(early));
}

}  // namespace pagewarden::recorder
