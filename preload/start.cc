// SPDX-License-Identifier: Apache-2.0
#include "preload/start.h"

#include "preload/abi/environment.h"
#include "preload/base/environment.h"
#include "preload/base/ledger.h"
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
#include "preload/rules/interceptors.h"
#include "preload/rules/policy.h"
#include "preload/rules/rules.h"
#include "preload/rules/scopes.h"
#include "preload/rules/sites.h"
#include "preload/rules/thread_names.h"

extern "C" {
extern char pw_sealed_begin[] __attribute__((visibility("hidden")));
extern char pw_sealed_end[] __attribute__((visibility("hidden")));
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
  ledger.scopes_bound = BindScopes(nullptr, 0);
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
void BindFunctions(const PolicyImage& image, uint32_t* slot_tags, unsigned intercepts) {
  SetIntercepts(intercepts);
  ledger.scopes_bound = BindScopes(slot_tags, slot_tags != nullptr ? image.function_count() : 0);
}

Verdict PinOnly(const PolicyImage& image, const abi::PolicyEntry& policy) {
  SetRules(NoRules());
  WatchForks(nullptr);
  const unsigned intercepts = StartPins(image, policy);
  BindFunctions(image, nullptr, intercepts | static_cast<unsigned>(Intercepts::kLookup));
  if (PinsProcess()) JudgeEveryCall();
  if (!forks_handled) return NotCovered(Uncovered::kNoForkHandler);
  return {ShimState::kActive, Uncovered::kNone};
}

Verdict Enforce(const PolicyImage& image, const abi::PolicyEntry& policy) {
  for (uint32_t i = 0; i < policy.arenas.count; ++i) {
    const abi::Text name = image.arena(policy.arenas.first + i).name;
    CopyText(ledger.arenas[i].name, sizeof(ledger.arenas[i].name), image.text(name), name.bytes);
  }
  void* page = nullptr;
  const Uncovered fence_verdict =
      BuildFence(&image.arena(policy.arenas.first), policy.arenas.count, TagsOf(policy), &page);
  RuleTables tables = {};
  if (fence_verdict == Uncovered::kNoReservation || !BuildRules(image, policy, &tables))
    return PassThrough(NotCovered(Uncovered::kNoReservation));
  WatchForks(page);
  SetRules(tables.set);
  if (!WatchSites(image, policy, tables.set.rules))
    return PassThrough(NotCovered(Uncovered::kNoReservation));
  if (policy.mode == abi::Mode::kEnforce) ClearDeepBind();
  unsigned intercepts = static_cast<unsigned>(Intercepts::kLookup) | StartPins(image, policy);
  if (HasFilters()) intercepts |= static_cast<unsigned>(Intercepts::kThreadName);
  if (WatchFiles(image, policy)) {
    intercepts |= static_cast<unsigned>(Intercepts::kFile);
    ResolveFileCalls();
  }
  BindFunctions(image, tables.slot_tags, intercepts);
  ledger.scopes_in_executable = CountScopesInExecutable();
  if (tables.set.everywhere != 0 || PinsProcess()) JudgeEveryCall();
  if (fence_verdict != Uncovered::kNone) return NotCovered(fence_verdict);
  if (!forks_handled) return NotCovered(Uncovered::kNoForkHandler);
  return {ShimState::kActive, Uncovered::kNone};
}

Verdict Decide() {
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
  const Uncovered image_verdict = PolicyImage::Map(path, &image);
  if (image_verdict != Uncovered::kNone) return PassThrough(NotCovered(image_verdict));
  const abi::PolicyEntry* policy = image.Select(auxv.secure);
  if (policy == nullptr) return PassThrough({ShimState::kInactive, Uncovered::kNone});
  CopyText(ledger.policy, sizeof(ledger.policy), image.text(policy->name), policy->name.bytes);
  ledger.mode = static_cast<uint32_t>(policy->mode);
  if (policy->mode == abi::Mode::kDisabled) return PassThrough(NotCovered(Uncovered::kDisabled));
  if (const char* refusal = SanitizerRefusal(NextAllocatorPath()); refusal != nullptr) {
    Warn(refusal);
    return PassThrough(NotCovered(Uncovered::kSanitizer));
  }
  return OnlyPins(image, *policy) ? PinOnly(image, *policy) : Enforce(image, *policy);
}

void ProtectSealed(int protection) {
  sys::Protect(pw_sealed_begin, static_cast<size_t>(pw_sealed_end - pw_sealed_begin), protection);
}

void BuildDefaultFence() {
  CopyText(ledger.arenas[0].name, sizeof(ledger.arenas[0].name), kDefaultArenaName,
           sizeof(kDefaultArenaName) - 1);
  void* page = nullptr;
  const Uncovered verdict = BuildFence(&kDefaultArena, 1, 1, &page);
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
  const Verdict verdict = Decide();
  SetState(verdict.state, verdict.reason);
  ProtectSealed(kProtRead);
}

__attribute__((constructor)) static void Construct() {
  if (EnvironmentReady() || !HasEnvironment()) Start();
}

}  // namespace pagewarden
