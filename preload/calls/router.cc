// SPDX-License-Identifier: Apache-2.0
#include "preload/calls/router.h"

#include "preload/base/error.h"
#include "preload/base/ledger.h"
#include "preload/base/mem.h"
#include "preload/base/registers.h"
#include "preload/base/thread.h"
#include "preload/calls/next.h"
#include "preload/fence/fence.h"
#include "preload/fence/fork.h"
#include "preload/pins/process.h"
#include "preload/rules/follow.h"
#include "preload/rules/scopes.h"
#include "preload/rules/sites.h"
#include "preload/stack/stack_scrub.h"

namespace pagewarden {
namespace {

// What the program asks for by name comes before what the policy says, the innermost
// first.
const Rule* ExplicitRule(const RuleSet& set) {
  const Thread& thread = pw_thread;
  for (uint32_t i = thread.scope_count; i-- > 0;)
    if (thread.scopes[i].sp == kExplicitScope && set.count != 0)
      return RuleOfArena(set, ArenaOfExplicitScope(thread.scopes[i]));
  return nullptr;
}

uint32_t FirstOf(const RuleSet& set, uint32_t tag, size_t bytes, uint32_t below) {
  return set.extents.First(tag, below,
                           [&set, bytes](uint32_t rule) { return Takes(set.rules[rule], bytes); });
}

// Of an extent that a hooked function began.
PW_INLINE uint32_t TagOfFunction(const RuleSet& set, const Scope& scope) {
  const uint64_t function = scope.tag - 1;
  return PW_LIKELY(function < set.functions) ? set.function_tags[function] : 0;
}

// The first rule of a live extent that is `below`, and takes this size.
uint32_t FirstExtentRule(const RuleSet& set, size_t bytes, uint32_t below) {
  VisitLiveScopes([&set, &below, bytes](const Scope& scope) {
    if (scope.sp == kFileScope) {
      below = FirstRuleOfBooks(set, static_cast<uint32_t>(scope.tag), bytes, below);
    } else {
      below = FirstOf(set, TagOfFunction(set, scope), bytes, below);
    }
    return below == 0;
  });
  return below;
}

__attribute__((noinline)) const Rule* SearchRule(const RuleSet& set, size_t bytes,
                                                 const CallFrame& frame) {
  uint32_t first = UINT32_MAX;
  if (pw_thread.scope_count != 0) {
    if (const Rule* rule = ExplicitRule(set); rule != nullptr) return rule;
    first = FirstExtentRule(set, bytes, first);
  }
  if (set.first_site_rule < first) first = FirstSiteRule(set, frame, bytes, first);
  first = FirstOf(set, set.everywhere, bytes, first);
  return first != UINT32_MAX ? &set.rules[first] : nullptr;
}

// One extent and no other form that comes before it is the case that is worth a short
// way.
PW_INLINE const Rule* MatchingRule(const RuleSet& set, size_t bytes, const CallFrame& frame) {
  const Thread& thread = pw_thread;
  if (PW_LIKELY(thread.scope_count == 1)) {
    const Scope& only = thread.scopes[0];
    const auto sp = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
    const uint32_t first = TagOfFunction(set, only) - 1;
    if (PW_LIKELY(first < set.short_way && IsLive(only, sp, StackTop(sp))))
      if (const Rule& rule = set.rules[first]; PW_LIKELY(Takes(rule, bytes))) return &rule;
  }
  return SearchRule(set, bytes, frame);
}

abi::LedgerTag& LedgerOf(const Rule& rule) { return fence.books.tag(rule.tag); }

PW_COLD void CountFallback(const Rule& rule, size_t bytes, size_t alignment) {
  abi::Fallback reason = abi::kFallbackCapacity;
  if (pw_thread.in_arena) reason = abi::kFallbackReentry;
  if (!rule.arena->MayHold(bytes, alignment)) reason = abi::kFallbackTooLarge;
  if (!rule.arena->is_open()) reason = abi::kFallbackForked;
  Count(LedgerOf(rule).fallbacks[reason]);
}

PW_COLD Routed Fail() {
  SetErrno(kOutOfMemory);
  return {Route::kFail, nullptr};
}

// Not in locked memory: as the policy says, and counted.
PW_COLD Routed AllocateElsewhere(const Rule& rule, size_t bytes, size_t alignment,
                                 bool audit_only) {
  if (audit_only) {
    Count(LedgerOf(rule).audited);
    return {Route::kNext, nullptr};
  }
  Arena& arena = *rule.arena;
  if (!pw_thread.in_arena && arena.is_open() && !arena.is_locked()) {
    const bool fails = arena.on_lock_failure() == abi::OnLockFailure::kFail;
    void* block = fails ? nullptr : arena.Allocate(bytes, alignment, rule.tag);
    if (fails || block != nullptr) Count(LedgerOf(rule).fallbacks[abi::kFallbackUnlocked]);
    if (fails) return Fail();
    if (block != nullptr) return {Route::kFenced, block};
  }
  CountFallback(rule, bytes, alignment);
  if (arena.on_exhausted() == abi::OnCapacityExhausted::kFail) return Fail();
  return {Route::kNext, nullptr};
}

// The last of them has just ended.
__attribute__((noinline)) void CleanUpAfterExtents() {
  WipeVectorRegisters();
  if (PW_UNLIKELY(scrub_bytes != 0)) ScrubDeadStack();
}

PW_INLINE Routed AllocateByRule(const Rule& rule, size_t bytes, size_t alignment, bool audit_only) {
  NoticeFork();
  Arena& arena = *rule.arena;
  if (PW_LIKELY(!pw_thread.in_arena && arena.is_locked() && !audit_only)) {
    void* block = arena.Allocate(bytes, alignment, rule.tag);
    if (PW_LIKELY(block != nullptr)) return {Route::kFenced, block};
  }
  return AllocateElsewhere(rule, bytes, alignment, audit_only);
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

// How much there is to move, nobody knows: the block stays where it is.
PW_COLD Routed ReallocElsewhere(size_t bytes, const CallFrame& frame) {
  const RuleSet& set = CurrentRules();
  const Rule* rule = MatchingRule(set, bytes, frame);
  if (rule == nullptr) return {Route::kNext, nullptr};
  if (set.audit_only) {
    Count(LedgerOf(*rule).audited);
    return {Route::kNext, nullptr};
  }
  Count(LedgerOf(*rule).fallbacks[abi::kFallbackSizeUnknown]);
  const bool fails = rule->arena->on_exhausted() == abi::OnCapacityExhausted::kFail;
  return fails ? Fail() : Routed{Route::kNext, nullptr};
}

}  // namespace

Routed AllocateFor(const Rule& rule, size_t bytes, size_t alignment) {
  return AllocateByRule(rule, bytes, alignment, CurrentRules().audit_only);
}

Routed RouteAllocation(size_t bytes, size_t alignment, const CallFrame& frame) {
  NoticePolicy();
  const RuleSet& set = CurrentRules();
  const bool in_extent = pw_thread.scope_count != 0;
  const Rule* rule = MatchingRule(set, bytes, frame);
  if (PW_UNLIKELY(in_extent && pw_thread.scope_count == 0)) CleanUpAfterExtents();
  if (rule != nullptr) return AllocateByRule(*rule, bytes, alignment, set.audit_only);
  if (PW_UNLIKELY(follows_heap)) NoticeHeap();
  return {Route::kNext, nullptr};
}

const Rule* RuleOfArena(const RuleSet& set, uint32_t arena) {
  return set.rules + set.count - fence.arena_slots + arena;
}

// A fenced block stays fenced, and in its rule's books, whoever resizes it: a
// helper outside every extent must not carry the secret out. It leaves only when
// its arena is full and the policy allows that.
void* ResizeFenced(void* block, size_t bytes) {
  NoticeFork();
  Arena& arena = fence.ArenaOf(block);
  if (!pw_thread.in_arena && arena.ResizeInPlace(block, bytes, false)) return block;
  const size_t before = FencedSize(block);
  const Rule rule = {0, UINT64_MAX, &arena, arena.TagOf(block), 0};
  const bool may_stay = !pw_thread.in_arena && bytes < before;
  void* target = may_stay ? arena.Allocate(bytes, kAnyAlignment, rule.tag) : nullptr;
  if (may_stay && target == nullptr && arena.ResizeInPlace(block, bytes, true)) return block;
  if (target == nullptr) {
    const Routed routed = AllocateByRule(rule, bytes, kAnyAlignment, CurrentRules().audit_only);
    if (routed.route == Route::kFail) return nullptr;
    target = routed.route == Route::kFenced ? routed.block : next_malloc(bytes);
  }
  if (target == nullptr) return nullptr;
  memcpy(target, block, before < bytes ? before : bytes);
  FreeFenced(block);
  return target;
}

void* ReallocFenced(void* block, size_t bytes) {
  if (bytes != 0) return ResizeFenced(block, bytes);
  FreeFenced(block);
  return nullptr;
}

void* RouteRealloc(void* block, size_t bytes, const CallFrame& frame) {
  if (block != nullptr && bytes == 0) return next_realloc(block, bytes);
  const bool may_move = PW_LIKELY(block == nullptr || NextTellsSizes());
  const Routed routed =
      may_move ? RouteAllocation(bytes, kAnyAlignment, frame) : ReallocElsewhere(bytes, frame);
  if (routed.route == Route::kFail) return nullptr;
  if (routed.route == Route::kNext) return next_realloc(block, bytes);
  return block == nullptr ? routed.block : MoveIntoFence(block, bytes, routed.block);
}

void FreeFenced(void* block) {
  NoticeFork();
  Arena& arena = fence.ArenaOf(block);
  // A signal handler's free inside the arena's own code: its state is open, so
  // the block is lost; waiting would be for ever.
  if (PW_UNLIKELY(pw_thread.in_arena)) {
    Count(ledger.reentered_frees);
    WipeBytes(block, arena.UsableSize(block));
    return;
  }
  arena.Free(block);
  WipeVectorRegisters();
}

size_t FencedSize(void* block) {
  NoticeFork();
  return fence.ArenaOf(block).UsableSize(block);
}

}  // namespace pagewarden
