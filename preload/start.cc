// SPDX-License-Identifier: Apache-2.0
#include "preload/start.h"

#include "preload/abi/environment.h"
#include "preload/base/environment.h"
#include "preload/base/ledger.h"
#include "preload/base/limits.h"
#include "preload/base/macros.h"
#include "preload/base/mem.h"
#include "preload/base/registers.h"
#include "preload/base/report.h"
#include "preload/base/sanitizer.h"
#include "preload/base/sys.h"
#include "preload/calls/exports_loader.h"
#include "preload/calls/next.h"
#include "preload/calls/pass.h"
#include "preload/calls/router.h"
#include "preload/elf/elf_lookup.h"
#include "preload/fence/fence.h"
#include "preload/fence/fork.h"
#include "preload/pins/process.h"
#include "preload/pins/start.h"
#include "preload/rules/file_calls.h"
#include "preload/rules/files.h"
#include "preload/rules/follow.h"
#include "preload/rules/interceptors.h"
#include "preload/rules/policy.h"
#include "preload/rules/rules.h"
#include "preload/rules/scopes.h"
#include "preload/rules/select.h"
#include "preload/rules/site_rules.h"
#include "preload/rules/sites.h"
#include "preload/rules/thread_names.h"

extern "C" {
extern char pw_sealed_begin[] __attribute__((visibility("hidden")));
extern char pw_sealed_end[] __attribute__((visibility("hidden")));
extern char pw_sealed_unless_live_end[] __attribute__((visibility("hidden")));
}

namespace pagewarden {
namespace {

using abi::ShimState;
using abi::Uncovered;

bool started = false;
PW_SEALED bool forks_handled = false;

struct Verdict {
  ShimState state;
  Uncovered reason;
};

Verdict NotCovered(Uncovered reason) { return {ShimState::kUncovered, reason}; }

// Without a policy the scope library's trampolines must lead straight through.
Verdict PassThrough(Verdict verdict) {
  FindScopes();
  ledger.scopes_bound = BindScopes();
  return verdict;
}

constexpr char kDefaultArenaName[] = "default";
const abi::ArenaEntry kDefaultArena = {
    .name = {},
    .capacity_bytes = 1 << 20,
    .flags = abi::kArenaCanary | abi::kArenaExcludeFromCoreDump,
    .on_fork = abi::OnFork::kRelock,
    .on_lock_failure = abi::OnLockFailure::kAllocateUnlocked,
    .on_capacity_exhausted = abi::OnCapacityExhausted::kAllocateUnlocked,
    .backing = {abi::Backing::kLockedAnonymous, abi::Backing::kNone},
    .reserved = {},
};

bool IsDefault(const abi::ArenaEntry& arena) {
  return arena.capacity_bytes == kDefaultArena.capacity_bytes &&
         arena.flags == kDefaultArena.flags && arena.on_fork == kDefaultArena.on_fork &&
         arena.on_lock_failure == kDefaultArena.on_lock_failure &&
         arena.on_capacity_exhausted == kDefaultArena.on_capacity_exhausted &&
         arena.backing[0] == kDefaultArena.backing[0] &&
         arena.backing[1] == kDefaultArena.backing[1];
}

// A policy without rules and arenas only pins: the arena that every policy has comes
// when the program asks for it by name (EnsureFence), and takes nothing of the limit.
bool OnlyPins(const PolicyImage& image, const abi::PolicyEntry& policy) {
  return policy.mode == abi::Mode::kEnforce && policy.rules.count == 0 &&
         policy.arenas.count == 1 && IsDefault(image.arena(policy.arenas.first));
}

// Interposes what the rules, if there are any, and the pins ask for.
void BindFunctions(unsigned intercepts) {
  if (Follows()) {
    intercepts |= static_cast<unsigned>(Intercepts::kFile) |
                  static_cast<unsigned>(Intercepts::kThreadName) |
                  static_cast<unsigned>(Intercepts::kSandbox);
    ResolveFileCalls();
  }
  SetIntercepts(intercepts | static_cast<unsigned>(Intercepts::kLookup));
  ledger.scopes_bound = BindScopes();
}

Verdict PinOnly(const PolicyImage& image, const abi::PolicyEntry& policy) {
  WatchForks(nullptr);
  const unsigned intercepts = StartPins(image, policy);
  FindScopes();
  BindFunctions(intercepts);
  if (PinsProcess()) SetJudging(Judging::kEveryCall);
  if (!forks_handled) return NotCovered(Uncovered::kNoForkHandler);
  return {ShimState::kActive, Uncovered::kNone};
}

// Rules that come later may be of these forms; for a process all of whose memory is locked,
// room for them costs too much.
bool PrepareForms(const PolicyImage& image, const abi::PolicyEntry& policy) {
  const bool may_come = Follows() && (policy.pin.flags & abi::kPinProcess) == 0;
  const bool has_sites = HasSiteRules(image, policy);
  if ((may_come || has_sites) && !PrepareSites()) return false;
  const bool needs_lists = may_come || has_sites || HasFileRules(image, policy);
  return !needs_lists || PrepareBookLists();
}

// Address space, and tables that a process locks with all its memory.
bool MayHaveSpareArenas(const abi::PolicyEntry& policy) {
  return (policy.pin.flags & abi::kPinProcess) == 0 && AddressSpaceBytes() == kUnlimited;
}

Verdict Enforce(const PolicyImage& image, const abi::PolicyEntry& policy, uint32_t* tags) {
  for (uint32_t i = 0; i < policy.arenas.count; ++i) {
    const abi::Text name = image.arena(policy.arenas.first + i).name;
    CopyText(ledger.arenas[i].name, sizeof(ledger.arenas[i].name), image.text(name), name.bytes);
  }
  void* page = nullptr;
  const Spares spares = Follows() ? SparesFor(policy, MayHaveSpareArenas(policy)) : Spares();
  const Uncovered fence_verdict =
      BuildFence(&image.arena(policy.arenas.first), policy.arenas.count, spares.arenas,
                 TagsOf(policy) + spares.arenas + spares.rules, &page);
  RuleSet set = {};
  FindScopes();
  if (fence_verdict == Uncovered::kNoReservation || !PrepareForms(image, policy) ||
      !BuildRules(image, policy, tags, &set))
    return PassThrough(NotCovered(Uncovered::kNoReservation));
  WatchForks(page);
  SetRules(set);
  MarkRows(set, *tags);
  ledger.rules_waiting = set.waiting;
  if (set.first_site_rule != UINT32_MAX) SetJudging(Judging::kSites);
  if (policy.mode == abi::Mode::kEnforce || Follows()) ClearDeepBind();
  unsigned intercepts = StartPins(image, policy);
  if (HasFilters()) intercepts |= static_cast<unsigned>(Intercepts::kThreadName);
  if (HasFileRules(image, policy)) {
    intercepts |= static_cast<unsigned>(Intercepts::kFile);
    ResolveFileCalls();
  }
  BindFunctions(intercepts);
  ledger.scopes_in_executable = CountScopesInExecutable();
  if (set.everywhere != 0 || PinsProcess()) SetJudging(Judging::kEveryCall);
  if (fence_verdict != Uncovered::kNone) return NotCovered(fence_verdict);
  if (!forks_handled) return NotCovered(Uncovered::kNoForkHandler);
  return {ShimState::kActive, Uncovered::kNone};
}

struct StartedAs {
  Following following;
  uint32_t tags;
};

// With an image that could be used.
Verdict StartWith(const PolicyImage& image, bool secure, StartedAs* out) {
  out->following = Following::kNothing;
  const abi::PolicyEntry* policy = SelectPolicy(image, secure, identity);
  if (policy == nullptr) return PassThrough({ShimState::kInactive, Uncovered::kNone});
  CopyText(ledger.policy, sizeof(ledger.policy), image.text(policy->name), policy->name.bytes);
  ledger.mode = static_cast<uint32_t>(policy->mode);
  if (policy->mode == abi::Mode::kDisabled) return PassThrough(NotCovered(Uncovered::kDisabled));
  if (const char* refusal = SanitizerRefusal(NextAllocatorPath()); refusal != nullptr) {
    Warn(refusal);
    return PassThrough(NotCovered(Uncovered::kSanitizer));
  }
  if (OnlyPins(image, *policy)) return PinOnly(image, *policy);
  const Verdict verdict = Enforce(image, *policy, &out->tags);
  if (HasRules()) out->following = Following::kRules;
  return verdict;
}

Verdict Decide(StartedAs* out) {
  if (!HasNext()) return NotCovered(Uncovered::kNoNextAllocator);
  if (DefinedBefore("malloc") != nullptr) return PassThrough(NotCovered(Uncovered::kShadowed));
  DetectVectorRegisters();
  const AuxiliaryVector auxv = ReadAuxiliaryVector();
  SetMainStackTop(auxv.stack_top);
  const char* path = abi::kTrustedImagePath;
  if (!auxv.secure) {
    const char* disabled = EnvironmentValue(abi::kDisabledVariable);
    if (disabled != nullptr && *disabled != 0) return PassThrough(NotCovered(Uncovered::kDisabled));
    const char* named = EnvironmentValue(abi::kImageVariable);
    if (named != nullptr) path = named;
  }
  PolicyImage image;
  LiveWindow window = {};
  const Uncovered image_verdict = PolicyImage::Map(path, &image, &window);
  if (image_verdict != Uncovered::kNone) return PassThrough(NotCovered(image_verdict));
  if (!PrepareToFollow(window, auxv.secure))
    return PassThrough(NotCovered(Uncovered::kNoReservation));
  return StartWith(image, auxv.secure, out);
}

void ProtectSealed(int protection) {
  const char* end = Follows() ? pw_sealed_end : pw_sealed_unless_live_end;
  sys::Protect(pw_sealed_begin, static_cast<size_t>(end - pw_sealed_begin), protection);
}

void BuildDefaultFence() {
  CopyText(ledger.arenas[0].name, sizeof(ledger.arenas[0].name), kDefaultArenaName,
           sizeof(kDefaultArenaName) - 1);
  void* page = nullptr;
  const Uncovered verdict = BuildFence(&kDefaultArena, 1, 0, 1, &page);
  if (verdict == Uncovered::kNoReservation) return;
  ledger.mode = static_cast<uint32_t>(abi::Mode::kEnforce);
  ClearDeepBind();
  WatchForks(page);
  SetRules(RulesOfOneArena());  // last: other threads act on it at once
  // An image that could not be used stays the reason.
  if (ledger.state != ShimState::kInactive && ledger.uncovered != Uncovered::kNoImage) return;
  if (verdict == Uncovered::kNone && forks_handled)
    SetState(ShimState::kActive, Uncovered::kNone);
  else
    SetState(ShimState::kUncovered, forks_handled ? verdict : Uncovered::kNoForkHandler);
}

// Where free of the C library may not reach the shim, or nobody wants it to.
bool MayBuildFence() {
  return HasNext() && ledger.uncovered != Uncovered::kDisabled &&
         ledger.uncovered != Uncovered::kShadowed && ledger.uncovered != Uncovered::kSanitizer;
}

}  // namespace

void EnsureFence() {
  Start();
  static Lock lock;
  static bool tried = false;
  lock.Acquire();
  if (fence.bytes == 0 && !tried && MayBuildFence()) {
    ProtectSealed(kProtRead | kProtWrite);
    BuildDefaultFence();
    ProtectSealed(kProtRead);
  }
  tried = true;
  lock.Release();
}

bool Started() { return __atomic_load_n(&started, __ATOMIC_ACQUIRE); }

void Start() {
  if (__atomic_exchange_n(&started, true, __ATOMIC_ACQ_REL)) return;
  ResolveNext();
  ledger.self = reinterpret_cast<uint64_t>(&ledger);
  ledger.pid = static_cast<uint32_t>(sys::GetPid());
  forks_handled = HasNext() && RegisterForkHandlers();
  StartedAs how = {};
  const Verdict verdict = Decide(&how);
  SetState(verdict.state, verdict.reason);
  if (how.following != Following::kNot) Follow(how.following, how.tags);
  ProtectSealed(kProtRead);
}

__attribute__((constructor)) static void Construct() {
  if (EnvironmentReady() || !HasEnvironment()) Start();
}

}  // namespace pagewarden
