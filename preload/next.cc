// SPDX-License-Identifier: Apache-2.0
#include "preload/next.h"

#include "preload/elf_lookup.h"
#include "preload/environment.h"
#include "preload/error.h"
#include "preload/mem.h"
#include "preload/report.h"
#include "preload/start.h"

extern "C" {
#define PW_NEXT_C(symbol, result, parameters, fallback) PW_HIDDEN result boot_##symbol parameters;
#define PW_NEXT_CXX PW_NEXT_C
#include "preload/next_names.h"
#undef PW_NEXT_CXX
#undef PW_NEXT_C

#define PW_NEXT_C(symbol, result, parameters, fallback) \
  PW_SEALED result(*next_##symbol) parameters = boot_##symbol;
#define PW_NEXT_CXX(symbol, result, parameters, fallback) \
  result(*next_##symbol) parameters = boot_##symbol;
#include "preload/next_names.h"
#undef PW_NEXT_CXX
#undef PW_NEXT_C
}

namespace pagewarden {

bool cxx_is_malloc = false;

namespace {

void* NoMemory() {
  SetErrno(kOutOfMemory);
  return nullptr;
}
int NoMemoryCode() { return kOutOfMemory; }
void Ignore() {}
size_t Zero() { return 0; }

// Only for a C++ program whose library exports no operators at all.
void* NewByMalloc(size_t bytes) {
  void* block = next_malloc(bytes != 0 ? bytes : 1);
  if (block == nullptr) Die("out of memory in operator new, and no C++ library to throw", nullptr);
  return block;
}
void* NewAligned(size_t bytes, size_t alignment) {
  void* block = next_memalign(alignment, bytes);
  if (block == nullptr) Die("out of memory in operator new, and no C++ library to throw", nullptr);
  return block;
}
void DeleteByFree(void* block) { next_free(block); }

struct Entry {
  const char* name;
  void** slot;
  void* boot;
  void* fallback;
  bool may_come_late;
};

#define PW_ENTRY(symbol, fallback, late)                                                     \
  {#symbol, reinterpret_cast<void**>(&next_##symbol), reinterpret_cast<void*>(boot_##symbol), \
   reinterpret_cast<void*>(fallback), late},
#define PW_NEXT_C(symbol, result, parameters, fallback) PW_ENTRY(symbol, fallback, false)
#define PW_NEXT_CXX(symbol, result, parameters, fallback) PW_ENTRY(symbol, fallback, true)
const Entry kEntries[] = {
#include "preload/next_names.h"
};
#undef PW_NEXT_CXX
#undef PW_NEXT_C
#undef PW_ENTRY
constexpr size_t kCount = sizeof(kEntries) / sizeof(kEntries[0]);

bool IsCxxLibrary(const char* path) {
  const char* name = path;
  for (const char* c = path; *c != 0; ++c)
    if (*c == '/') name = c + 1;
  return EqualBytes(name, "libstdc++.so", 12) || EqualBytes(name, "libc++", 6);
}

}  // namespace

void ResolveNext() {
  Wanted wanted[kCount];
  for (size_t i = 0; i < kCount; ++i) {
    const Entry& entry = kEntries[i];
    const bool resolved = *entry.slot != entry.boot;
    wanted[i] = {entry.name, resolved ? *entry.slot : nullptr, nullptr};
  }
  FindNext(wanted, kCount, Started() ? Walk::kRunning : Walk::kBeforeMain);
  for (size_t i = 0; i < kCount; ++i) {
    const Entry& entry = kEntries[i];
    void* target = wanted[i].found;
    if (target == nullptr && !entry.may_come_late) target = entry.fallback;
    if (target != nullptr && *entry.slot != target)
      __atomic_store_n(entry.slot, target, __ATOMIC_RELEASE);
    if (wanted[i].found_in != nullptr && Equal(entry.name, "_Znwm"))
      cxx_is_malloc = IsCxxLibrary(wanted[i].found_in);
  }
}

bool HasNext() {
  return reinterpret_cast<void*>(next_malloc) != reinterpret_cast<void*>(&NoMemory);
}

// Called by boot.S with the slot a program called through; returns where to go.
extern "C" void* pw_resolve(void** slot) {
  ResolveNext();
  if (EnvironmentReady()) Start();
  for (const Entry& entry : kEntries)
    if (entry.slot == slot && *slot == entry.boot) return entry.fallback;
  return *slot;
}

}  // namespace pagewarden
