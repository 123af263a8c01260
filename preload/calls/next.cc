// SPDX-License-Identifier: Apache-2.0
#include "preload/calls/next.h"

#include "preload/base/environment.h"
#include "preload/base/error.h"
#include "preload/base/mem.h"
#include "preload/base/report.h"
#include "preload/calls/pass.h"
#include "preload/elf/elf_lookup.h"
#include "preload/start.h"

extern "C" {
#define PW_DEFINE(symbol, result, parameters) result(*next_##symbol) parameters = boot_##symbol;
#define PW_DEFINE_PLAIN PW_SEALED PW_DEFINE
#define PW_DEFINE_ALLOCATE PW_SEALED PW_DEFINE
#define PW_DEFINE_LATE PW_DEFINE
#define PW_DEFINE_NEW PW_DEFINE
#define PW_DEFINE_DELETE PW_DEFINE
#define PW_NEXT(kind, symbol, result, parameters, fallback) \
  PW_DEFINE_##kind(symbol, result, parameters)
#include "preload/calls/next_names.h"
#undef PW_NEXT
}

namespace pagewarden {

Operators operators = Operators::kForeign;

namespace {

PW_SEALED const char* allocator_path = nullptr;

void* NoMemory() {
  SetErrno(kOutOfMemory);
  return nullptr;
}
int NoMemoryCode() { return kOutOfMemory; }
void Ignore() {}
size_t Zero() { return 0; }
void* NoObject() { return nullptr; }
void Free(void* block) { next_free(block); }
void* Realloc(void* block, size_t bytes) { return next_realloc(block, bytes); }

// Only for a C++ program whose library exports no operators at all.
void* NewByMalloc(size_t bytes) {
  void* block = next_malloc(bytes != 0 ? bytes : 1);
  if (block == nullptr) Die("out of memory in operator new, and no C++ library to throw");
  return block;
}
void* NewAligned(size_t bytes, size_t alignment) {
  void* block = next_memalign(alignment, bytes);
  if (block == nullptr) Die("out of memory in operator new, and no C++ library to throw");
  return block;
}

enum class Kind { PLAIN, ALLOCATE, LATE, NEW, DELETE };

struct Entry {
  const char* name;
  void** slot;
  void* boot;
  void* fallback;
  Kind kind;

  bool is_operator() const { return kind == Kind::NEW || kind == Kind::DELETE; }
  bool may_come_late() const { return is_operator() || kind == Kind::LATE; }
};

const Entry kEntries[] = {
#define PW_NEXT(kind, symbol, result, parameters, fallback)                                   \
  {#symbol, reinterpret_cast<void**>(&next_##symbol), reinterpret_cast<void*>(boot_##symbol), \
   reinterpret_cast<void*>(fallback), Kind::kind},
#include "preload/calls/next_names.h"
#undef PW_NEXT
};
constexpr size_t kCount = sizeof(kEntries) / sizeof(kEntries[0]);

bool IsCxxLibrary(const char* path) {
  return FileNameStartsWith(path, "libstdc++.so") || FileNameStartsWith(path, "libc++");
}

// By what this search has found; a program that replaces but one of them makes
// all of them its own.
Operators ClassifyOperators(const Wanted* wanted) {
  bool found = false;
  bool all_in_cxx_library = true;
  for (size_t i = 0; i < kCount; ++i) {
    if (!kEntries[i].is_operator()) continue;
    if (DefinedBefore(kEntries[i].name) != nullptr) return Operators::kForeign;
    const char* path = wanted[i].found_in;
    if (path == nullptr) continue;
    found = true;
    if (IsCxxLibrary(path)) continue;
    all_in_cxx_library = false;
    if (allocator_path == nullptr || !Equal(path, allocator_path)) return Operators::kForeign;
  }
  if (!found) return operators;
  return all_in_cxx_library ? Operators::kCxxLibrary : Operators::kAllocator;
}

bool IsOfAnotherAllocator(const Entry& entry, const char* path) {
  const bool asks_for_size = entry.slot == reinterpret_cast<void**>(&next_malloc_usable_size);
  return asks_for_size && path != nullptr && allocator_path != nullptr &&
         !Equal(path, allocator_path);
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
  if (wanted[0].found_in != nullptr) allocator_path = wanted[0].found_in;  // malloc's
  operators = ClassifyOperators(wanted);
  for (size_t i = 0; i < kCount; ++i) {
    const Entry& entry = kEntries[i];
    void* target = wanted[i].found;
    if (IsOfAnotherAllocator(entry, wanted[i].found_in)) target = nullptr;
    if (target == nullptr && !entry.may_come_late()) target = entry.fallback;
    if (target != nullptr && *entry.slot != target)
      __atomic_store_n(entry.slot, target, __ATOMIC_RELEASE);
  }
  UpdatePassTable();
}

bool HasNext() {
  return reinterpret_cast<void*>(next_malloc) != reinterpret_cast<void*>(&NoMemory);
}

bool NextTellsSizes() {
  return reinterpret_cast<void*>(next_malloc_usable_size) != reinterpret_cast<void*>(&Zero);
}

const char* NextAllocatorPath() { return allocator_path; }

// Called by boot.S with the slot a program called through; returns where to go.
extern "C" void* pw_resolve(void** slot) {
  ResolveNext();
  const bool starts = EnvironmentReady() && !Started();
  if (starts) Start();
  // The call that started the shim came from an export, and is judged as the next will be.
  if (starts && PassOf(slot) != nullptr) return *PassOf(slot);
  for (const Entry& entry : kEntries)
    if (entry.slot == slot && *slot == entry.boot) return entry.fallback;
  return *slot;
}

}  // namespace pagewarden
