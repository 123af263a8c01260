// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/sites.h"

#include "preload/base/sys.h"
#include "preload/calls/pass.h"
#include "preload/calls/router.h"
#include "preload/elf/modules.h"
#include "preload/rules/scopes.h"
#include "preload/rules/site_rules.h"
#include "preload/stack/paths.h"

namespace pagewarden {

PW_SEALED uint64_t* site_cache = nullptr;

namespace {

// How far up to look for a caller that is not transparent.
constexpr uint32_t kMaxTransparentFrames = 8;

constexpr uint32_t kSignatureEntries = 1u << 11;
constexpr uint64_t kAddressMask = (uint64_t{1} << kVerdictShift) - 1;

PW_SEALED uint64_t* signature_cache = nullptr;

void Clear(uint64_t* words, size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (__atomic_load_n(&words[i], __ATOMIC_RELAXED) != 0)
      __atomic_store_n(&words[i], 0, __ATOMIC_RELAXED);
}

void Remember(uint64_t address, SiteVerdict verdict) {
  auto* set = const_cast<uint64_t*>(SiteSetOf(address));
  const uint64_t first = __atomic_load_n(&set[0], __ATOMIC_RELAXED);
  if (first != 0) __atomic_store_n(&set[1], first, __ATOMIC_RELAXED);
  __atomic_store_n(&set[0], address | uint64_t{verdict.bits()} << kVerdictShift, __ATOMIC_RELAXED);
}

// Who puts other rules in force flushes the caches after that: either it has seen what was
// written here, or this sees its rules.
void ForgetIfStale(const RuleSet& set) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (PW_UNLIKELY(&CurrentRules() != &set)) FlushSites();
}

// Addresses outside of all modules are looked up again each time: nobody says when
// generated code goes and a library takes its place.
PW_COLD SiteVerdict WorkOut(const RuleSet& set, uint64_t address) {
  SiteVerdict verdict;
  if (!JudgeSite(set, address, &verdict) || address > kAddressMask) return verdict;
  Remember(address, verdict);
  ForgetIfStale(set);
  return verdict;
}

PW_INLINE SiteVerdict VerdictOf(const RuleSet& set, uint64_t address) {
  const uint64_t* entries = SiteSetOf(address);
  for (uint32_t way = 0; way < kSiteWays; ++way) {
    const uint64_t entry = __atomic_load_n(&entries[way], __ATOMIC_RELAXED);
    if (PW_LIKELY((entry & kAddressMask) == address))
      return SiteVerdict(static_cast<uint16_t>(entry >> kVerdictShift));
  }
  return WorkOut(set, address);
}

// The tag of the nearest caller that is not transparent; 0 where that is unknown.
PW_COLD uint32_t WalkToCaller(const RuleSet& set, Cursor cursor, uint64_t top) {
  PathRecorder recorder(cursor);
  for (uint32_t i = 0; i < kMaxTransparentFrames; ++i) {
    const Cursor before = cursor;
    if (!Step(&cursor, top)) return 0;
    recorder.Add(before, cursor);
    const SiteVerdict verdict = VerdictOf(set, cursor.return_address);
    if (verdict.is_transparent()) continue;
    recorder.Remember(static_cast<uint16_t>(verdict.tag()));
    ForgetIfStale(set);
    return verdict.tag();
  }
  return 0;
}

PW_INLINE uint32_t TagOfCaller(const RuleSet& set, const Cursor& cursor) {
  const uint64_t top = StackTop(cursor.sp);
  if (PW_UNLIKELY(top < cursor.sp + sizeof(uint64_t))) return 0;
  uint32_t tag;
  return PW_LIKELY(FindPath(cursor, top, &tag)) ? tag : WalkToCaller(set, cursor, top);
}

CallStack GatherStack(Cursor cursor) {
  CallStack stack = {};
  stack.addresses[stack.depth++] = cursor.return_address;
  const uint64_t top = StackTop(cursor.sp);
  if (top < cursor.sp + sizeof(uint64_t)) return stack;
  while (stack.depth < abi::kMaxSignatureDepth && Step(&cursor, top))
    stack.addresses[stack.depth++] = cursor.return_address;
  return stack;
}

uint64_t HashOf(const CallStack& stack) {
  uint64_t hash = 0;
  for (const uint64_t address : stack.addresses)
    hash = (hash ^ address) * 0x9e3779b97f4a7c15u;  // 2^64 over the golden ratio
  return hash;
}

// Which entry, and 48 bits to tell the stacks apart that share it.
uint32_t TagOfStack(const RuleSet& set, const Cursor& cursor) {
  const CallStack stack = GatherStack(cursor);
  const uint64_t hash = HashOf(stack);
  uint64_t& place = signature_cache[hash % kSignatureEntries];
  const uint64_t mark = hash >> (64 - kVerdictShift) | 1;
  const uint64_t entry = __atomic_load_n(&place, __ATOMIC_RELAXED);
  if (PW_LIKELY((entry & kAddressMask) == mark))
    return static_cast<uint32_t>(entry >> kVerdictShift);
  uint32_t tag;
  if (JudgeStack(set, stack, &tag)) {
    __atomic_store_n(&place, mark | uint64_t{tag} << kVerdictShift, __ATOMIC_RELAXED);
    ForgetIfStale(set);
  }
  return tag;
}

PW_INLINE uint32_t First(const RuleSet& set, uint32_t tag, size_t bytes, uint32_t below) {
  return PW_LIKELY(tag == 0) ? below : FirstRuleOfBooks(set, tag, bytes, below);
}

constexpr size_t kPathBytes = 4096;  // PATH_MAX

struct Memory {
  uint64_t sites[kSiteSets * kSiteWays];
  uint64_t frames[kFrameCacheEntries];
  uint64_t signatures[kSignatureEntries];
  Path paths[kPaths];
  char executable[kPathBytes];
};

// Not among the shim's own variables: a process that locks all its memory
// (mlockall(2)) would pay for it without having such rules.
Memory* MapMemory() {
  const long at = sys::Reserve(sizeof(Memory));
  if (sys::Failed(at)) return nullptr;
  auto* memory = reinterpret_cast<Memory*>(at);
  const long done = sys::Protect(memory, sizeof(Memory), kProtRead | kProtWrite);
  return sys::Failed(done) ? nullptr : memory;
}

}  // namespace

bool PrepareSites() {
  Memory* memory = MapMemory();
  if (memory == nullptr) return false;
  site_cache = memory->sites;
  signature_cache = memory->signatures;
  SetFrameCache(memory->frames);
  SetPaths(memory->paths);
  sys::ReadLink("/proc/self/exe", memory->executable, kPathBytes - 1);
  SetExecutablePath(memory->executable);
  return true;
}

void FlushSites() {
  if (site_cache == nullptr) return;
  Clear(site_cache, kSiteSets * kSiteWays);
  Clear(signature_cache, kSignatureEntries);
  FlushFrameCache();
  FlushPaths();
}

uint32_t FirstSiteRule(const RuleSet& set, const CallFrame& frame, size_t bytes, uint32_t below) {
  const SiteVerdict verdict = VerdictOf(set, frame.return_address);
  if (verdict.is_plain()) return below;
  below = First(set, verdict.tag(), bytes, below);
  if (verdict.is_transparent() && set.callers.Have(bytes))
    below = First(set, TagOfCaller(set, CursorAt(frame)), bytes, below);
  if (verdict.starts_signature() && set.signatures.Have(bytes))
    below = First(set, TagOfStack(set, CursorAt(frame)), bytes, below);
  return below;
}

}  // namespace pagewarden
