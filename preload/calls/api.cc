// SPDX-License-Identifier: Apache-2.0
// pagewarden.h: the fence by name, for programs that can be changed.
#include "preload/base/error.h"
#include "preload/base/ledger.h"
#include "preload/base/mem.h"
#include "preload/base/registers.h"
#include "preload/calls/next.h"
#include "preload/calls/router.h"
#include "preload/fence/fence.h"
#include "preload/fence/fork.h"
#include "preload/pagewarden.h"
#include "preload/rules/follow.h"
#include "preload/rules/scopes.h"
#include "preload/start.h"

namespace pagewarden {
namespace {

constexpr uint32_t kNoArena = UINT32_MAX;

// The index of the arena of this name.
uint32_t FindArena(const char* name) {
  NoticePolicy();
  if (!HasRules()) EnsureFence();
  for (uint32_t i = 0; HasRules() && i < ArenaCount(); ++i)
    if (name == nullptr || Equal(fence.arenas[i].book().name, name)) return i;
  return kNoArena;
}

// Disabled, or nothing could be reserved: plain memory is what is left.
bool IsAbsent() { return !HasRules(); }

int Fail(int error) {
  SetErrno(error);
  return -1;
}

// A block that was placed in ordinary memory is still a secret. realloc would
// leave its old place, or the tail that it cuts off, as they are.
void* ResizePlain(void* block, size_t bytes) {
  const size_t before = next_malloc_usable_size(block);
  if (before == 0) return next_realloc(block, bytes != 0 ? bytes : 1);  // one that cannot tell
  void* target = next_calloc(1, bytes);
  if (target == nullptr) return nullptr;
  memcpy(target, block, before < bytes ? before : bytes);
  WipeBytes(block, before);
  next_free(block);
  return target;
}

uint64_t SumOf(const uint64_t (&counters)[abi::kFallbackReasons]) {
  uint64_t sum = 0;
  for (const uint64_t& counter : counters) sum += Load(counter);
  return sum;
}

}  // namespace

PW_EXPORT void* pagewarden_alloc(const char* arena, size_t bytes) {
  const uint32_t index = FindArena(arena);
  if (index == kNoArena) {
    if (IsAbsent()) return next_calloc(1, bytes);
    SetErrno(kNoEntry);
    return nullptr;
  }
  const Routed routed = AllocateFor(*RuleOfArena(CurrentRules(), index), bytes, kAnyAlignment);
  return routed.route == Route::kNext ? next_calloc(1, bytes) : routed.block;
}

PW_EXPORT void* pagewarden_resize(void* block, size_t bytes) {
  if (block == nullptr) {
    SetErrno(kInvalidArgument);
    return nullptr;
  }
  return fence.Owns(block) ? ResizeFenced(block, bytes) : ResizePlain(block, bytes);
}

PW_EXPORT void pagewarden_free(void* block) {
  if (block == nullptr) return;
  if (fence.Owns(block)) return FreeFenced(block);
  WipeBytes(block, next_malloc_usable_size(block));
  next_free(block);
}

PW_EXPORT int pagewarden_begin(const char* arena) {
  const uint32_t index = FindArena(arena);
  if (index == kNoArena) return IsAbsent() ? 0 : Fail(kNoEntry);
  return PushExplicitScope(index) ? 0 : Fail(kNoSpace);
}

PW_EXPORT void pagewarden_end() {
  PopExplicitScope();
  WipeVectorRegisters();
}

PW_EXPORT int pagewarden_is_locked(const void* block) {
  NoticeFork();
  for (uint32_t i = 0; i < ArenaCount(); ++i)
    if (fence.arenas[i].Owns(block)) return fence.arenas[i].is_locked();
  return 0;
}

PW_EXPORT int pagewarden_query(const char* arena, pagewarden_usage* out) {
  const uint32_t index = FindArena(arena);
  if (index == kNoArena) return Fail(kNoEntry);
  NoticeFork();
  const abi::LedgerArena& book = fence.arenas[index].book();
  *out = {Load(book.capacity_bytes), Load(book.locked_bytes), 0, 0, 0};
  for (uint32_t tag = 0; tag < fence.books.tag_count(); ++tag) {
    if (fence.books.tag(tag).arena != index) continue;
    const abi::LedgerBook sum = fence.books.Sum(tag);
    out->used_bytes += sum.bytes_in - sum.bytes_out;
    out->live_allocations += sum.allocations - sum.frees;
    out->fallbacks += SumOf(fence.books.tag(tag).fallbacks);
  }
  return 0;
}

}  // namespace pagewarden
