// SPDX-License-Identifier: Apache-2.0
#include "preload/router.h"

#include "preload/error.h"
#include "preload/fence.h"
#include "preload/ledger.h"
#include "preload/mem.h"
#include "preload/next.h"
#include "preload/registers.h"
#include "preload/scopes.h"
#include "preload/thread.h"

namespace pagewarden {
namespace {

PW_SEALED const Rule* rules = nullptr;
PW_SEALED uint32_t rule_count = 0;
PW_SEALED bool audit_only = false;

// The innermost live extent whose rule takes this size.
inline const Rule* MatchingRule(size_t bytes) {
  const Rule* match = nullptr;
  VisitLiveScopes([&match, bytes](uint32_t tag) {
    if (tag == 0 || tag > rule_count) return false;
    const Rule& rule = rules[tag - 1];
    if (bytes >= rule.min_bytes && bytes <= rule.max_bytes) match = &rule;
    return match != nullptr;
  });
  return match;
}

void CountFallback(Arena& arena, size_t bytes) {
  abi::Fallback reason = abi::kFallbackCapacity;
  if (pw_thread.in_arena != 0) reason = abi::kFallbackReentry;
  if (bytes > arena.bytes()) reason = abi::kFallbackTooLarge;
  Count(arena.book().fallbacks[reason]);
}

Routed Fail() {
  SetErrno(kOutOfMemory);
  return {Route::kFail, nullptr};
}

Routed AllocateIn(Arena& arena, size_t bytes, size_t alignment) {
  const bool locked = arena.book().locked_bytes != 0;
  if (PW_UNLIKELY(!locked)) {
    Count(arena.book().fallbacks[abi::kFallbackUnlocked]);
    if (arena.on_lock_failure() == abi::OnLockFailure::kFail) return Fail();
  }
  if (PW_LIKELY(pw_thread.in_arena == 0)) {
    void* block = arena.Allocate(bytes, alignment);
    if (PW_LIKELY(block != nullptr)) return {Route::kFenced, block};
  }
  CountFallback(arena, bytes);
  if (arena.on_exhausted() == abi::OnCapacityExhausted::kFail) return Fail();
  return {Route::kNext, nullptr};
}

// The old block leaves the next allocator for the fence: no copy may stay.
void WipeAndFree(void* block) {
  WipeBytes(block, next_malloc_usable_size(block));
  next_free(block);
}

void* MoveIntoFence(void* block, size_t bytes, void* fenced) {
  const size_t before = next_malloc_usable_size(block);
  memcpy(fenced, block, before < bytes ? before : bytes);
  WipeAndFree(block);
  return fenced;
}

// A fenced block stays fenced, whoever resizes it: a helper outside every
// extent must not carry the secret out. It leaves only when its arena is full
// and the policy allows that.
void* ResizeFenced(void* block, size_t bytes) {
  Arena& arena = fence.ArenaOf(block);
  if (pw_thread.in_arena == 0 && arena.ResizeInPlace(block, bytes)) return block;
  const Routed routed = AllocateIn(arena, bytes, kAnyAlignment);
  if (routed.route == Route::kFail) return nullptr;
  void* target = routed.route == Route::kFenced ? routed.block : next_malloc(bytes);
  if (target == nullptr) return nullptr;
  const size_t before = FencedSize(block);
  memcpy(target, block, before < bytes ? before : bytes);
  FreeFenced(block);
  return target;
}

}  // namespace

void SetRules(const Rule* table, uint32_t count, bool audit) {
  rules = table;
  rule_count = count;
  audit_only = audit;
}

Routed RouteAllocation(size_t bytes, size_t alignment) {
  const Rule* rule = MatchingRule(bytes);
  if (pw_thread.scope_count == 0) WipeVectorRegisters();  // the extent has just ended
  if (rule == nullptr) return {Route::kNext, nullptr};
  if (audit_only) {
    Count(ledger.audited);
    return {Route::kNext, nullptr};
  }
  return AllocateIn(*rule->arena, bytes, alignment);
}

void* RouteRealloc(void* block, size_t bytes) {
  if (block != nullptr && fence.Owns(block)) {
    if (bytes != 0) return ResizeFenced(block, bytes);
    FreeFenced(block);
    return nullptr;
  }
  if (block != nullptr && bytes == 0) return next_realloc(block, bytes);
  const Routed routed = RouteAllocation(bytes, kAnyAlignment);
  if (routed.route == Route::kFail) return nullptr;
  if (routed.route == Route::kNext) return next_realloc(block, bytes);
  return block == nullptr ? routed.block : MoveIntoFence(block, bytes, routed.block);
}

void FreeFenced(void* block) {
  // A signal handler's free inside the arena's own critical section: leaking is
  // all that is left, waiting would be for ever.
  Arena& arena = fence.ArenaOf(block);
  if (PW_UNLIKELY(pw_thread.in_arena != 0)) {
    Count(arena.book().fallbacks[abi::kFallbackReentry]);
    return;
  }
  arena.Free(block);
  WipeVectorRegisters();
}

size_t FencedSize(void* block) { return fence.ArenaOf(block).UsableSize(block); }

}  // namespace pagewarden
