// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/follow.h"

#include "preload/abi/live_image.h"
#include "preload/base/ledger.h"
#include "preload/base/lock.h"
#include "preload/base/mem.h"
#include "preload/base/sys.h"
#include "preload/base/thread.h"
#include "preload/calls/pass.h"
#include "preload/fence/fence.h"
#include "preload/pins/process.h"
#include "preload/pins/sandbox.h"
#include "preload/rules/identity.h"
#include "preload/rules/rule_set.h"
#include "preload/rules/rules.h"
#include "preload/rules/scopes.h"
#include "preload/rules/select.h"
#include "preload/rules/sites.h"

namespace {
const uint64_t never_changes = 0;
}

extern "C" {
PW_SEALED const uint64_t* pw_live_word = &never_changes;
uint64_t pw_adopted_word = 0;
}

namespace pagewarden {
namespace {

// Of one image; in the order in which they were first in force.
struct Adopted {
  Adopted* before;
  uint32_t place;
  RuleSet set;
};

constexpr size_t kMemoryBytes = 256u << 10;

// For good, so that rules are never overwritten.
struct Memory {
  unsigned char tables[kMemoryBytes];
};

PW_SEALED LiveWindow window = {};
PW_SEALED bool is_secure = false;
PW_SEALED Memory* memory = nullptr;
PW_SEALED Following following = Following::kNot;
PW_SEALED abi::PinEntry pins_of_start = {};
PW_SEALED abi::ShimState state_of_start = abi::ShimState::kStarting;
PW_SEALED abi::Uncovered reason_of_start = abi::Uncovered::kNone;

// Writable, since nothing may be asked of the kernel later: what an adopted policy moves.
const RuleSet* rules_adopted = nullptr;
RuleSet no_rules = {};

Lock lock;  // of all below
uint32_t nested_forks = 0;
bool may_map = true;  // false: a child of raw clone(2), which may be in a sandbox
size_t used = 0;
uint32_t tags = 0;
Adopted* last = nullptr;

void SetFollows(abi::Follows follows) {
  __atomic_store(&ledger.follows, &follows, __ATOMIC_RELAXED);
}

void Report(uint32_t generation, const abi::PolicyEntry* policy, const PolicyImage& image,
            uint32_t waiting) {
  if (following == Following::kRules) {
    if (policy != nullptr)
      CopyText(ledger.policy, sizeof(ledger.policy), image.text(policy->name), policy->name.bytes);
    const abi::Mode mode = policy != nullptr ? policy->mode : abi::Mode::kDisabled;
    __atomic_store_n(&ledger.mode, static_cast<uint32_t>(mode), __ATOMIC_RELAXED);
    if (policy == nullptr) {
      SetState(abi::ShimState::kInactive, abi::Uncovered::kNone);
    } else if (mode == abi::Mode::kDisabled) {
      SetState(abi::ShimState::kUncovered, abi::Uncovered::kDisabled);
    } else {
      SetState(state_of_start, reason_of_start);
    }
  }
  __atomic_store_n(&ledger.rules_waiting, waiting, __ATOMIC_RELAXED);
  __atomic_store_n(&ledger.generation, generation, __ATOMIC_RELEASE);
}

bool IsOn(const abi::PolicyEntry* policy) {
  return policy != nullptr && policy->mode != abi::Mode::kDisabled;
}

Adopted* FindAdopted(uint32_t place) {
  for (Adopted* adopted = last; adopted != nullptr; adopted = adopted->before)
    if (adopted->place == place) return adopted;
  return nullptr;
}

bool SameName(const PolicyImage& image, abi::Range a, const PolicyImage& other, abi::Range b) {
  if (a.count != b.count) return false;
  for (uint32_t i = 0; i < a.count; ++i)
    if (!Equal(image.text(image.pattern(a.first + i)), other.text(other.pattern(b.first + i))))
      return false;
  return true;
}

PW_SEALED PolicyImage image_of_start = {};

bool SamePins(const PolicyImage& image, const abi::PinEntry& pin) {
  return pin.flags == pins_of_start.flags && pin.stack_bytes == pins_of_start.stack_bytes &&
         pin.scrub_bytes == pins_of_start.scrub_bytes &&
         SameName(image, pin.mappings, image_of_start, pins_of_start.mappings) &&
         SameName(image, pin.data, image_of_start, pins_of_start.data);
}

// In a sandbox, system calls may be the end of the process: its new arenas wait.
void OpenNewArenas(const PolicyImage& image, const abi::PolicyEntry& policy) {
  for (uint32_t i = 0; i < policy.arenas.count && may_map && !InSandbox(); ++i) {
    const abi::ArenaEntry& entry = image.arena(policy.arenas.first + i);
    if (FindArenaOf(image, entry) == UINT32_MAX) OpenNewArena(image, entry);
  }
}

// What the arenas can take over of their options, and what waits.
uint32_t AdoptArenas(const PolicyImage& image, const abi::PolicyEntry& policy) {
  uint32_t waiting = 0;
  for (uint32_t i = 0; i < policy.arenas.count; ++i) {
    const abi::ArenaEntry& entry = image.arena(policy.arenas.first + i);
    const uint32_t arena = FindArenaOf(image, entry);
    waiting += arena == UINT32_MAX || !fence.arenas[arena].Adopt(entry);
  }
  return waiting;
}

void PutInForce(const RuleSet& set) {
  __atomic_store_n(&rules_adopted, &set, __ATOMIC_SEQ_CST);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  FlushSites();
  UpdateScopes();
  Judging judging = set.first_site_rule != UINT32_MAX ? Judging::kSites : Judging::kExtents;
  if (set.everywhere != 0 || PinsProcess()) judging = Judging::kEveryCall;
  SetJudging(judging);
  MarkRows(set, tags);
  __atomic_store_n(&ledger.scopes_in_executable, CountScopesInExecutable(), __ATOMIC_RELAXED);
}

// Null: no memory.
const RuleSet* RulesOf(uint32_t place, const PolicyImage& image, const abi::PolicyEntry& policy) {
  if (const Adopted* known = FindAdopted(place); known != nullptr) return &known->set;
  auto* made = static_cast<Adopted*>(TakeTableMemory(sizeof(Adopted)));
  if (made == nullptr) return nullptr;
  made->set = RuleSet();
  if (!BuildRules(image, policy, &tags, &made->set)) return nullptr;
  made->place = place;
  made->before = last;
  last = made;
  return &made->set;
}

// False: not valid here, or no memory.
bool AdoptImage(uint64_t word) {
  PolicyImage image;
  const bool is_known = FindAdopted(abi::PlaceOf(word)) != nullptr;
  if (is_known) image = FindAdopted(abi::PlaceOf(word))->set.image;
  if (!is_known && !PolicyImage::FromWindow(window, word, &image)) {
    __atomic_fetch_add(&ledger.images_refused, 1, __ATOMIC_RELAXED);
    return false;
  }
  const abi::PolicyEntry* policy = SelectPolicy(image, is_secure, identity);
  const uint32_t generation = abi::GenerationOf(word);
  if (following == Following::kNothing) {
    Report(generation, policy, image, IsOn(policy) ? policy->rules.count + 1 : 0);
    return true;
  }
  uint32_t waiting = 0;
  if (IsOn(policy)) {
    if (!is_known) OpenNewArenas(image, *policy);
    const RuleSet* set = RulesOf(abi::PlaceOf(word), image, *policy);
    if (set == nullptr) {
      SetFollows(abi::Follows::kNoMore);
      return false;
    }
    waiting = set->waiting + AdoptArenas(image, *policy) + !SamePins(image, policy->pin);
    PutInForce(*set);
  } else {
    PutInForce(no_rules);
  }
  Report(generation, policy, image, waiting);
  return true;
}

void Adopt(uint64_t word) {
  if (abi::PlaceOf(word) == abi::kLiveClosed) {
    SetFollows(abi::Follows::kNoMore);
  } else {
    AdoptImage(word);
  }
  __atomic_store_n(&pw_adopted_word, word, __ATOMIC_RELEASE);
}

// Of a thread: nothing of it is in the way of the arenas' locks.
bool MayAdopt() { return !pw_thread.in_arena && !lock.IsMine(); }

}  // namespace

bool PrepareToFollow(const LiveWindow& from, bool secure) {
  if (from.base == nullptr) return true;
  const long at = sys::Reserve(sizeof(Memory));
  if (sys::Failed(at)) return false;
  auto* mapped = reinterpret_cast<Memory*>(at);
  if (sys::Failed(sys::Protect(mapped, sizeof(Memory), kProtRead | kProtWrite))) return false;
  identity.Read();
  memory = mapped;
  window = from;
  is_secure = secure;
  return true;
}

bool Follows() { return memory != nullptr; }

void* TakeTableMemory(size_t bytes) {
  bytes = (bytes + 7) / 8 * 8;
  if (bytes > sizeof(memory->tables) - used) return nullptr;
  void* at = memory->tables + used;
  used += bytes;
  return at;
}

void Follow(Following how, uint32_t tags_in_use) {
  if (!Follows()) return;
  following = how;
  tags = tags_in_use;
  state_of_start = ledger.state;
  reason_of_start = ledger.uncovered;
  const RuleSet& set = CurrentRules();
  if (how == Following::kRules) {
    pins_of_start = set.policy->pin;
    image_of_start = set.image;
    rules_adopted = &set;
    rules_in_force = &rules_adopted;
  }
  ledger.generation = abi::GenerationOf(window.word);
  SetFollows(abi::Follows::kLiveImage);
  pw_adopted_word = window.word;
  const auto* header = reinterpret_cast<const abi::LiveImageHeader*>(window.base);
  __atomic_store_n(&pw_live_word, &header->current, __ATOMIC_RELEASE);
}

void BeforeForkOfPolicy() {
  if (lock.IsMine()) {
    ++nested_forks;
  } else {
    lock.Acquire();
  }
}

void AfterForkOfPolicyInParent() {
  if (nested_forks == 0) return lock.Release();
  --nested_forks;
}

void AfterForkOfPolicyInChild() {
  if (nested_forks == 0) return lock.Reset();
  --nested_forks;
}

// What another thread was at is begun anew: nothing of it was in force.
void AfterUnseenForkOfPolicy() {
  may_map = false;
  if (!lock.IsMine()) lock.Reset();
}

extern "C" PW_COLD void pw_adopt_policy() {
  if (!MayAdopt() || !lock.TryAcquire()) return;
  const uint64_t word = __atomic_load_n(pw_live_word, __ATOMIC_ACQUIRE);
  if (word != __atomic_load_n(&pw_adopted_word, __ATOMIC_RELAXED)) Adopt(word);
  lock.Release();
}

}  // namespace pagewarden
