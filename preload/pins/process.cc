// SPDX-License-Identifier: Apache-2.0
#include "preload/pins/process.h"

#include "preload/base/limits.h"
#include "preload/base/signal_guard.h"
#include "preload/base/sys.h"
#include "preload/elf/mappings_reader.h"
#include "preload/fence/fence.h"
#include "preload/fence/fork.h"
#include "preload/pins/pins.h"
#include "preload/pins/sandbox.h"
#include "preload/pins/stack_bounds.h"
#include "preload/rules/scopes.h"

extern "C" {
#define PW_DEFINE(function) int (*real_##function)(long, long, long, long) = nullptr;
PW_PRIVILEGE_CALLS(PW_DEFINE)
#undef PW_DEFINE
}

namespace pagewarden {

PW_SEALED bool follows_heap = false;

namespace {

constexpr int kCurrent = 1, kFuture = 2, kOnFault = 4;  // MCL_…

bool locks_future = false;
uint64_t heap_end = 0;

bool IsFence(const Mapping& mapping) { return fence.Owns(reinterpret_cast<void*>(mapping.begin)); }

// A thread's stack is pinned from its top, and not beyond what the policy says; so is
// the main one.
bool IsStack(const Mapping& mapping) {
  PinnedRange pin;
  for (uint64_t at = mapping.begin; FindPin(at, mapping.end, &pin); at = pin.end)
    if (pin.source == PinSource::kStack) return true;
  return IsMainStack(mapping);
}

void PinUnbooked(uint64_t begin, uint64_t end) {
  PinnedRange pin;
  for (; begin < end && FindPin(begin, end, &pin); begin = pin.end)
    if (pin.begin > begin) Pin(begin, pin.begin, PinSource::kProcess);
  if (begin < end) Pin(begin, end, PinSource::kProcess);
}

void PinMapping(const Mapping& mapping) {
  if (!mapping.writable || IsFence(mapping) || IsStack(mapping)) return;
  PinAccessible(mapping.begin, mapping.end);
  if (!locks_future) Relock(mapping.begin, mapping.end);
  PinUnbooked(mapping.begin, mapping.end);
}

// Private memory first: of shared one there may be more than any limit allows.
void PinAll(bool shared) {
  MappingsReader mappings;
  Mapping mapping;
  uint64_t hole = 0;
  while (mappings.Next(&mapping)) {
    if (mapping.begin > hole) Unpin(hole, mapping.begin);
    hole = mapping.end;
    if (mapping.shared == shared) PinMapping(mapping);
  }
}

uint64_t HeapEnd() { return static_cast<uint64_t>(sys::Call(__NR_brk)); }

// Stack growth counts against the limit in a locked mapping, and is SIGSEGV there: so
// what lies below the pinned part is unlocked again.
void UnlockStackBelow() {
  MappingsReader mappings;
  Mapping mapping;
  while (mappings.Next(&mapping)) {
    if (!IsMainStack(mapping)) continue;
    PinnedRange pin;
    const bool found = FindPin(mapping.begin, mapping.end, &pin);
    const uint64_t end = found ? pin.begin : mapping.end;
    if (end > mapping.begin)
      sys::Unlock(reinterpret_cast<const void*>(mapping.begin), end - mapping.begin);
  }
}

// Without a limit the main stack may grow locked, and stays one mapping.
bool LockAll(int flags) {
  if (sys::Failed(sys::Call(__NR_mlockall, flags | kOnFault))) return false;
  if ((flags & kFuture) == 0) UnlockStackBelow();
  return true;
}

// Everything that is there stays locked; what comes is locked as the limit allows.
void StopLockingFuture() {
  if (!locks_future || SharesParentsMemory()) return;
  if (!__atomic_exchange_n(&locks_future, false, __ATOMIC_ACQ_REL)) return;
  if (!InSandbox()) LockAll(kCurrent);
  NoticeMemory();
}

constexpr long kLimitMemlock = 8;

void NoticeSetLimit(long resource) {
  if (resource == kLimitMemlock) StopLockingFuture();
}

void NoticeProcessLimit(long pid, long resource, long limit) {
  const bool is_own = pid == 0 || pid == sys::GetPid();
  if (limit != 0 && is_own) NoticeSetLimit(resource);
}

void NoticeUnshare(long flags) {
  constexpr long kNewUser = 0x10000000;  // CLONE_NEWUSER
  if ((flags & kNewUser) != 0) NoticePrivilegeCall();
}

}  // namespace

void StartPinningProcess() {
  follows_heap = true;
  if (GetPinMode() == PinMode::kEnforce && LocksWithoutLimit())
    locks_future = LockAll(kCurrent | kFuture);
  NoticeMemory();
}

bool PinsProcess() { return follows_heap; }

void NoticeHeap() {
  constexpr uint32_t kCallsBetween = 64;
  static uint32_t calls = 0;
  // Not one locked instruction: a count that is lost does no harm.
  const uint32_t call = __atomic_load_n(&calls, __ATOMIC_RELAXED);
  __atomic_store_n(&calls, call + 1, __ATOMIC_RELAXED);
  if (call % kCallsBetween != 0 || InSandbox()) return;
  const uint64_t now = HeapEnd();
  const uint64_t before = __atomic_exchange_n(&heap_end, now, __ATOMIC_ACQ_REL);
  if (before == now || before == 0) return;
  if (now > before)
    Pin(before, now, PinSource::kProcess);
  else
    Unpin(now, before);
}

void NoticeMemory() {
  if (!follows_heap || InSandbox()) return;
  const SignalGuard guard(true);
  heap_end = HeapEnd();
  PinAll(false);
  PinAll(true);
}

void RelockProcess() {
  if (!locks_future) return;
  locks_future = !InSandbox() && LocksWithoutLimit() && LockAll(kCurrent | kFuture);
}

void NoticePrivilegeCall() {
  if (locks_future && !LimitIsInfinite()) StopLockingFuture();
}

void NoticeSystemCall(long number, long a, long b, long c) {
  switch (number) {
    case __NR_setuid:
    case __NR_setreuid:
    case __NR_setresuid:
    case __NR_capset:
    case __NR_setns:
      return NoticePrivilegeCall();
    case __NR_unshare:
      return NoticeUnshare(a);
    case __NR_setrlimit:
      return NoticeSetLimit(a);
    case __NR_prlimit64:
      return NoticeProcessLimit(a, b, c);
    default:
      return;
  }
}

extern "C" {

#define PW_INTERCEPT_PRIVILEGE(function, notice)               \
  int intercepted_##function(long a, long b, long c, long d) { \
    notice;                                                    \
    return real_##function(a, b, c, d);                        \
  }
PW_INTERCEPT_PRIVILEGE(setuid, NoticePrivilegeCall())
PW_INTERCEPT_PRIVILEGE(seteuid, NoticePrivilegeCall())
PW_INTERCEPT_PRIVILEGE(setreuid, NoticePrivilegeCall())
PW_INTERCEPT_PRIVILEGE(setresuid, NoticePrivilegeCall())
PW_INTERCEPT_PRIVILEGE(capset, NoticePrivilegeCall())
PW_INTERCEPT_PRIVILEGE(setns, NoticePrivilegeCall())
PW_INTERCEPT_PRIVILEGE(unshare, NoticeUnshare(a))
PW_INTERCEPT_PRIVILEGE(setrlimit, NoticeSetLimit(a))
PW_INTERCEPT_PRIVILEGE(setrlimit64, NoticeSetLimit(a))
PW_INTERCEPT_PRIVILEGE(prlimit, NoticeProcessLimit(static_cast<int>(a), b, c))
PW_INTERCEPT_PRIVILEGE(prlimit64, NoticeProcessLimit(static_cast<int>(a), b, c))
#undef PW_INTERCEPT_PRIVILEGE

}  // extern "C"

}  // namespace pagewarden
