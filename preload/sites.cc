// SPDX-License-Identifier: Apache-2.0
#include "preload/sites.h"

#include "preload/modules.h"
#include "preload/pass.h"
#include "preload/router.h"
#include "preload/scopes.h"
#include "preload/site_rules.h"
#include "preload/sys.h"

namespace pagewarden {

PW_SEALED uint32_t first_site_rule = UINT32_MAX;
PW_SEALED uint64_t* site_cache = nullptr;

namespace {

// How far up to look for a caller that is not transparent.
constexpr uint32_t kMaxTransparentFrames = 8;

constexpr uint32_t kSignatureEntries = 1u << 11;
constexpr uint64_t kAddressMask = (uint64_t{1} << kVerdictShift) - 1;

PW_SEALED uint64_t* signature_cache = nullptr;
uint64_t unloads_seen = 0;

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

// Addresses outside of all modules are looked up again each time: nobody says when
// generated code goes and a library takes its place.
PW_COLD SiteVerdict WorkOut(uint64_t address) {
  FlushSitesOfUnloaded();
  SiteVerdict verdict;
  if (JudgeSite(address, &verdict) && address <= kAddressMask) Remember(address, verdict);
  return verdict;
}

PW_INLINE SiteVerdict VerdictOf(uint64_t address) {
  const uint64_t* set = SiteSetOf(address);
  for (uint32_t way = 0; way < kSiteWays; ++way) {
    const uint64_t entry = __atomic_load_n(&set[way], __ATOMIC_RELAXED);
    if (PW_LIKELY((entry & kAddressMask) == address))
      return SiteVerdict(static_cast<uint16_t>(entry >> kVerdictShift));
  }
  return WorkOut(address);
}

// The tag of the nearest caller that is not transparent; 0 where that is unknown.
uint32_t TagOfCaller(Cursor cursor) {
  const uint64_t top = StackTop(cursor.sp);
  if (top < cursor.sp + sizeof(uint64_t)) return 0;
  for (uint32_t i = 0; i < kMaxTransparentFrames; ++i) {
    if (!Step(&cursor, top)) return 0;
    const SiteVerdict verdict = VerdictOf(cursor.return_address);
    if (!verdict.is_transparent()) return verdict.tag();
  }
  return 0;
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
uint32_t TagOfStack(const Cursor& cursor) {
  const CallStack stack = GatherStack(cursor);
  const uint64_t hash = HashOf(stack);
  uint64_t& place = signature_cache[hash % kSignatureEntries];
  const uint64_t mark = hash >> (64 - kVerdictShift) | 1;
  const uint64_t entry = __atomic_load_n(&place, __ATOMIC_RELAXED);
  if (PW_LIKELY((entry & kAddressMask) == mark)) return static_cast<uint32_t>(entry >> kVerdictShift);
  uint32_t tag;
  if (JudgeStack(stack, &tag))
    __atomic_store_n(&place, mark | uint64_t{tag} << kVerdictShift, __ATOMIC_RELAXED);
  return tag;
}

struct Memory {
  uint64_t sites[kSiteSets * kSiteWays];
  uint64_t frames[kFrameCacheEntries];
  uint64_t signatures[kSignatureEntries];
  Link links[kMaxSiteLinks];
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

bool WatchSites(const PolicyImage& image, const abi::PolicyEntry& policy, const Rule* rules) {
  first_site_rule = FirstRuleOfSites(image, policy);
  if (first_site_rule == UINT32_MAX) return true;
  Memory* memory = MapMemory();
  if (memory == nullptr) return false;
  site_cache = memory->sites;
  signature_cache = memory->signatures;
  SetFrameCache(memory->frames);
  SetSiteRules(image, policy, rules, memory->links);
  unloads_seen = CountUnloads();
  AskSites();
  return true;
}

void FlushSitesOfUnloaded() {
  if (site_cache == nullptr) return;
  const uint64_t unloads = CountUnloads();
  if (unloads == __atomic_load_n(&unloads_seen, __ATOMIC_ACQUIRE)) return;
  Clear(site_cache, kSiteSets * kSiteWays);
  Clear(signature_cache, kSignatureEntries);
  FlushFrameCache();
  __atomic_store_n(&unloads_seen, unloads, __ATOMIC_RELEASE);
}

uint32_t FirstSiteRule(const CallFrame& frame, size_t bytes, uint32_t below) {
  const SiteVerdict verdict = VerdictOf(frame.return_address);
  if (verdict.is_plain()) return below;
  below = FirstRuleThatTakes(verdict.tag(), bytes, below);
  if (verdict.is_transparent() && CallersMayTake(bytes))
    below = FirstRuleThatTakes(TagOfCaller(CursorAt(frame)), bytes, below);
  if (verdict.starts_signature() && SignaturesMayTake(bytes))
    below = FirstRuleThatTakes(TagOfStack(CursorAt(frame)), bytes, below);
  return below;
}

}  // namespace pagewarden
