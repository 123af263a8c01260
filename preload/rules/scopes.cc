// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/scopes.h"

#include "preload/abi/scope_library.h"
#include "preload/base/macros.h"
#include "preload/base/mem.h"
#include "preload/base/report.h"
#include "preload/base/sys.h"
#include "preload/elf/elf_lookup.h"
#include "preload/fence/size_classes.h"
#include "preload/rules/follow.h"
#include "preload/rules/interceptors.h"
#include "preload/rules/rule_set.h"
#include "preload/start.h"

extern "C" {
__thread pagewarden::Thread pw_thread;
PW_HIDDEN void pw_scope_enter();
PW_HIDDEN void pw_scope_follow();
void pagewarden_scope_bind();
}

namespace pagewarden {

PW_SEALED uint64_t main_stack_top = 0;

namespace {

PW_SEALED abi::ScopeSlot* all_slots = nullptr;
PW_SEALED uint32_t all_slots_count = 0;

// Set in the index of a slot: found at start, in a library that stays.
constexpr uint32_t kStays = 1u << 31;

// Before the start there is no number, and no rule either.
uint32_t NumberOf(const abi::ScopeSlot& slot) {
  return all_slots != nullptr ? static_cast<uint32_t>(&slot - all_slots) : UINT32_MAX;
}

bool IsNamed(const RuleSet& set, const abi::ScopeSlot& slot) {
  const uint32_t number = NumberOf(slot);
  return number < set.functions && set.function_tags[number] != 0;
}

const void* EntryOf(const RuleSet& set, const abi::ScopeSlot& slot) {
  if (IsNamed(set, slot)) return reinterpret_cast<const void*>(&pw_scope_enter);
  return Follows() ? reinterpret_cast<const void*>(&pw_scope_follow) : slot.real;
}

void Bind(abi::ScopeSlot& slot, const void* real) {
  real = InterceptorOr(slot.name, real);
  slot.real = real;
  slot.tag = NumberOf(slot) + 1;
  const RuleSet* set;
  do {  // who puts other rules in force looks at the slots after that, and this after those
    set = &CurrentRules();
    __atomic_store_n(&slot.entry, EntryOf(*set, slot), __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
  } while (set != &CurrentRules());
}

// One pass over the objects for many functions.
constexpr uint64_t kBatch = 64;

uint64_t BindBatch(abi::ScopeSlot* slots, uint64_t count) {
  Wanted wanted[kBatch];
  for (uint64_t i = 0; i < count; ++i) wanted[i] = {slots[i].name, nullptr, nullptr};
  FindNext(wanted, count, Walk::kBeforeMain);
  uint64_t bound = 0;
  for (uint64_t i = 0; i < count; ++i) {
    if (wanted[i].found == nullptr) continue;
    Bind(slots[i], wanted[i].found);
    slots[i].index |= kStays;
    ++bound;
  }
  return bound;
}

}  // namespace

void SetMainStackTop(uint64_t address) {
  main_stack_top = address;
  pw_thread.is_main = true;
}

// Its own stack reaches from a thread's thread pointer down to a page that cannot be
// read: pages are looked at once each. A fiber's stack lies beyond such a page.
PW_COLD bool IsOnThreadStack(uint64_t sp) {
  Thread& thread = pw_thread;
  const uint64_t top = ThreadPointer();
  if (thread.is_main || top - sp >= kDeepestStack) return false;
  while (top - thread.stack_bytes > sp) {
    const uint64_t below = (top - thread.stack_bytes - 1) / kPageBytes * kPageBytes;
    if (!sys::IsReadable(below)) return false;
    thread.stack_bytes = top - below;
  }
  return true;
}

PW_COLD bool IsFiberRecordReadable(uint64_t record, uint64_t sp) {
  return record / kPageBytes == sp / kPageBytes || sys::IsReadable(record);
}

namespace {

// `keep_others`: those of other stacks, whose fibers may be waiting or gone.
void DropDeadScopes(uint64_t sp, bool keep_others) {
  Thread& thread = pw_thread;
  const uint64_t top = StackTop(sp);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < thread.scope_count; ++i) {
    const Scope scope = thread.scopes[i];
    const bool is_other = keep_others && !IsOnStack(scope, sp, top);
    if (is_other || IsLive(scope, sp, top)) thread.scopes[kept++] = scope;
  }
  thread.scope_count = kept;
}

}  // namespace

namespace {

bool IsFull() { return pw_thread.scope_count == kMaxScopes; }

void DropDead(uint64_t sp) {
  DropDeadScopes(sp, true);
  if (IsFull()) DropDeadScopes(sp, false);
}

void Remove(uint32_t index) {
  Thread& thread = pw_thread;
  for (uint32_t i = index + 1; i < thread.scope_count; ++i) thread.scopes[i - 1] = thread.scopes[i];
  --thread.scope_count;
}

// A record whose tag another file's has as well: missed only if it is the last to be
// closed.
bool IsCoveredFile(uint32_t index) {
  const Thread& thread = pw_thread;
  if (thread.scopes[index].sp != kFileScope) return false;
  for (uint32_t i = index + 1; i < thread.scope_count; ++i)
    if (thread.scopes[i].sp == kFileScope && thread.scopes[i].tag == thread.scopes[index].tag)
      return true;
  return false;
}

void DropCoveredFile() {
  for (uint32_t i = 0; i < pw_thread.scope_count; ++i) {
    if (!IsCoveredFile(i)) continue;
    Remove(i);
    CountMissedFile();
    return;
  }
}

bool Push(const Scope& scope) {
  Thread& thread = pw_thread;
  if (IsFull()) return false;
  thread.scopes[thread.scope_count] = scope;
  ++thread.scope_count;
  return true;
}

}  // namespace

// Files must not keep out the extents of other rules.
extern "C" PW_COLD void pw_compact_scopes(uint64_t sp) {
  DropDead(sp);
  if (IsFull()) DropCoveredFile();
}

bool PushExplicitScope(uint32_t arena) {
  if (IsFull()) pw_compact_scopes(reinterpret_cast<uint64_t>(__builtin_frame_address(0)));
  return Push({kExplicitScope, 0, (uint64_t{arena} + 1) << 32});
}

bool PushFileScope(uint64_t witness, uint32_t tag) {
  if (IsFull()) DropDead(reinterpret_cast<uint64_t>(__builtin_frame_address(0)));
  return Push({kFileScope, witness, tag});
}

void PopExplicitScope() {
  const Thread& thread = pw_thread;
  uint32_t last = thread.scope_count;
  while (last > 0 && thread.scopes[last - 1].sp != kExplicitScope) --last;
  if (last != 0) Remove(last - 1);
}

// Before the start, sanitizers look functions up while their own interceptors are
// not ready for the loader's iteration.
extern "C" PW_COLD void pw_bind_slot(abi::ScopeSlot* slot) {
  Wanted wanted = {slot->name, nullptr, nullptr};
  FindNext(&wanted, 1, Started() ? Walk::kRunning : Walk::kBeforeMain);
  if (wanted.found == nullptr) DieUnbound(slot->name);
  Bind(*slot, wanted.found);
}

namespace {

bool IsUnbound(const abi::ScopeSlot& slot) {
  return slot.entry == reinterpret_cast<const void*>(&pagewarden_scope_bind);
}

abi::ScopeSlot* SlotOf(const char* name) {
  for (uint64_t i = 0; name != nullptr && i < all_slots_count; ++i)
    if (Equal(all_slots[i].name, name)) return &all_slots[i];
  return nullptr;
}

// The object that defines it first, by the path that the loader keeps of it.
bool IsInScopeLibraryFirst(const char* name) {
  return DefinedBefore(name) == DefinedBefore(abi::kScopeSlotsSymbol);
}

}  // namespace

bool IsHook(const char* name, const void* found) {
  return SlotOf(name) != nullptr && FindBeside(abi::kScopeSlotsSymbol, name) == found;
}

const void* HookOr(const char* name, const void* found) {
  abi::ScopeSlot* slot = SlotOf(name);
  if (found == nullptr || slot == nullptr) return found;
  const void* hook = FindBeside(abi::kScopeSlotsSymbol, name);
  if (hook == nullptr || hook == found) return found;
  if (IsUnbound(*slot)) Bind(*slot, found);
  const bool may_begin_extent = Follows() || IsNamed(CurrentRules(), *slot);
  const bool is_hooked = (slot->real == found && may_begin_extent) || IsIntercepted(name, found);
  return is_hooked ? hook : found;
}

bool IsHookOfNothing(const char* name) {
  const abi::ScopeSlot* slot = SlotOf(name);
  if (slot == nullptr || !IsUnbound(*slot) || !IsInScopeLibraryFirst(name)) return false;
  Wanted wanted = {name, nullptr, nullptr};
  FindNext(&wanted, 1, Walk::kRunning);
  return wanted.found == nullptr;
}

void FindScopes() {
  uint64_t bytes = 0;
  auto* slots = static_cast<abi::ScopeSlot*>(FindData(abi::kScopeSlotsSymbol, &bytes));
  if (slots == nullptr) return;
  all_slots = slots;
  all_slots_count = static_cast<uint32_t>(bytes / sizeof(abi::ScopeSlot));
}

uint32_t CountScopes() { return all_slots_count; }

uint32_t FindSlot(const char* name, uint32_t* hint) {
  for (uint32_t i = 0; i < all_slots_count; ++i) {
    const uint32_t at = (*hint + i) % all_slots_count;
    if (!Equal(all_slots[at].name, name)) continue;
    *hint = at + 1;
    return at;
  }
  return all_slots_count;
}

uint64_t BindScopes() {
  abi::ScopeSlot* slots = all_slots;
  uint64_t bound = 0;
  for (uint64_t left = all_slots_count; left != 0;) {
    const uint64_t count = left < kBatch ? left : kBatch;
    bound += BindBatch(slots, count);
    slots += count;
    left -= count;
  }
  return bound;
}

void UpdateScopes() {
  const void* binder = reinterpret_cast<const void*>(&pagewarden_scope_bind);
  const RuleSet& set = CurrentRules();
  for (uint32_t i = 0; i < all_slots_count; ++i) {
    abi::ScopeSlot& slot = all_slots[i];
    const void* seen = __atomic_load_n(&slot.entry, __ATOMIC_ACQUIRE);
    while (seen != binder &&
           !__atomic_compare_exchange_n(&slot.entry, &seen, EntryOf(set, slot), false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE)) {
    }
  }
}

// `real` stays: another thread may just be on its way there.
void UnbindLateScopes() {
  const void* binder = reinterpret_cast<const void*>(&pagewarden_scope_bind);
  for (uint64_t i = 0; i < all_slots_count; ++i) {
    if ((all_slots[i].index & kStays) == 0)
      __atomic_store_n(&all_slots[i].entry, binder, __ATOMIC_RELEASE);
  }
}

uint32_t CountScopesInExecutable() {
  uint32_t count = 0;
  for (uint32_t i = 0; i < all_slots_count; ++i)
    count += IsNamed(CurrentRules(), all_slots[i]) && IsInExecutable(all_slots[i].name);
  return count;
}

}  // namespace pagewarden
