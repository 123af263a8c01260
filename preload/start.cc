// SPDX-License-Identifier: Apache-2.0
#include "preload/start.h"

#include "preload/abi/environment.h"
#include "preload/elf_lookup.h"
#include "preload/environment.h"
#include "preload/exports_loader.h"
#include "preload/fence.h"
#include "preload/fork.h"
#include "preload/ledger.h"
#include "preload/macros.h"
#include "preload/mem.h"
#include "preload/next.h"
#include "preload/pass.h"
#include "preload/policy.h"
#include "preload/registers.h"
#include "preload/report.h"
#include "preload/router.h"
#include "preload/sanitizer.h"
#include "preload/scopes.h"
#include "preload/sys.h"

extern "C" {
extern char pw_sealed_begin[] __attribute__((visibility("hidden")));
extern char pw_sealed_end[] __attribute__((visibility("hidden")));
}

namespace pagewarden {
namespace {

using abi::ShimState;
using abi::Uncovered;

bool started = false;

// For abi::Uncovered, which gets it with version 2 of the ledger.
constexpr auto kSanitizer = static_cast<Uncovered>(10);

struct Verdict {
  ShimState state;
  Uncovered reason;
};

Verdict NotCovered(Uncovered reason) { return {ShimState::kUncovered, reason}; }

// Scratch for tables that live as long as the process: address space from the
// kernel, since the shim has no heap of its own.
void* MapTable(size_t bytes) {
  const long at = sys::Reserve(bytes);
  if (sys::Failed(at)) return nullptr;
  void* table = reinterpret_cast<void*>(at);
  return sys::Failed(sys::Protect(table, bytes, kProtRead | kProtWrite)) ? nullptr : table;
}

// Whether any rule has to see calls outside every extent.
bool HasStandingRule(const PolicyImage& image, const abi::PolicyEntry& policy) {
  for (uint32_t i = 0; i < policy.rules.count; ++i)
    if (image.rule(policy.rules.first + i).form != abi::RuleForm::kDuring) return true;
  return false;
}

struct RuleTables {
  Rule* rules;
  uint16_t* slot_tags;  // by function; 0: no rule
};

RuleTables BuildRules(const PolicyImage& image, const abi::PolicyEntry& policy) {
  const size_t rule_bytes = policy.rules.count * sizeof(Rule);
  void* memory = MapTable(rule_bytes + image.function_count() * sizeof(uint16_t) + 1);
  if (memory == nullptr) return {nullptr, nullptr};
  RuleTables tables = {static_cast<Rule*>(memory),
                       reinterpret_cast<uint16_t*>(static_cast<char*>(memory) + rule_bytes)};
  for (uint32_t i = policy.rules.count; i-- > 0;) {  // so that the first rule wins a function
    const abi::RuleEntry& rule = image.rule(policy.rules.first + i);
    tables.rules[i] = {rule.min_bytes, rule.max_bytes,
                       &fence.arenas[rule.arena - policy.arenas.first]};
    for (uint32_t slot = 0; slot < rule.slots.count; ++slot)
      tables.slot_tags[image.rule_slot(rule.slots.first + slot)] = static_cast<uint16_t>(i + 1);
  }
  return tables;
}

// Without a policy the scope library's trampolines must lead straight through.
Verdict PassThrough(Verdict verdict) {
  ledger.scopes_bound = BindScopes(nullptr, 0);
  return verdict;
}

Verdict Enforce(const PolicyImage& image, const abi::PolicyEntry& policy) {
  const Uncovered fence_verdict = BuildFence(image, policy);
  if (fence_verdict == Uncovered::kNoReservation) return PassThrough(NotCovered(fence_verdict));
  const RuleTables tables = BuildRules(image, policy);
  if (tables.rules == nullptr) return PassThrough(NotCovered(Uncovered::kNoReservation));
  SetRules(tables.rules, policy.rules.count, policy.mode == abi::Mode::kAudit);
  if (HasStandingRule(image, policy)) JudgeEveryCall();
  if (policy.mode == abi::Mode::kEnforce) ClearDeepBind();
  RegisterForkHandlers();
  ledger.scopes_bound = BindScopes(tables.slot_tags, image.function_count());
  if (fence_verdict != Uncovered::kNone) return NotCovered(fence_verdict);
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
    if (disabled != nullptr && *disabled != 0)
      return PassThrough(NotCovered(Uncovered::kDisabled));
    const char* named = EnvironmentValue(abi::kImageVariable);
    if (named != nullptr) path = named;
  }
  PolicyImage image;
  const Uncovered image_verdict = PolicyImage::Map(path, &image);
  if (image_verdict != Uncovered::kNone) return PassThrough(NotCovered(image_verdict));
  char executable[4096];
  const long bytes = sys::ReadLink("/proc/self/exe", executable, sizeof(executable));
  const abi::PolicyEntry* policy =
      image.Select(executable, sys::Failed(bytes) ? 0 : static_cast<size_t>(bytes));
  if (policy == nullptr) return PassThrough({ShimState::kInactive, Uncovered::kNone});
  CopyText(ledger.policy, sizeof(ledger.policy), image.text(policy->name), policy->name.bytes);
  ledger.mode = static_cast<uint32_t>(policy->mode);
  if (policy->mode == abi::Mode::kDisabled) return PassThrough(NotCovered(Uncovered::kDisabled));
  if (const char* refusal = SanitizerRefusal(NextAllocatorPath()); refusal != nullptr) {
    Warn(refusal);
    return PassThrough(NotCovered(kSanitizer));
  }
  return Enforce(image, *policy);
}

void Seal() {
  sys::Protect(pw_sealed_begin, static_cast<size_t>(pw_sealed_end - pw_sealed_begin), kProtRead);
}

}  // namespace

bool Started() { return __atomic_load_n(&started, __ATOMIC_ACQUIRE); }

void Start() {
  if (__atomic_exchange_n(&started, true, __ATOMIC_ACQ_REL)) return;
  ResolveNext();
  ledger.self = reinterpret_cast<uint64_t>(&ledger);
  ledger.pid = static_cast<uint32_t>(sys::GetPid());
  const Verdict verdict = Decide();
  SetState(verdict.state, verdict.reason);
  Seal();
}

__attribute__((constructor)) static void Construct() {
  if (EnvironmentReady()) Start();
}

}  // namespace pagewarden
