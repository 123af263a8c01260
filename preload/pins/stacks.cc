// SPDX-License-Identifier: Apache-2.0
#include "preload/pins/stacks.h"

#include "preload/base/limits.h"
#include "preload/base/lock.h"
#include "preload/base/macros.h"
#include "preload/base/sys.h"
#include "preload/base/thread.h"
#include "preload/elf/elf_lookup.h"
#include "preload/fence/size_classes.h"
#include "preload/pins/pins.h"
#include "preload/pins/process.h"
#include "preload/rules/scopes.h"

extern "C" {
int (*real_pthread_create)(void*, const pw_thread_attributes*, void* (*)(void*), void*) = nullptr;
}

namespace pagewarden {
namespace {

PW_SEALED uint64_t wanted_bytes = 0;

uint64_t PageDown(uint64_t address) { return address / kPageBytes * kPageBytes; }
uint64_t PageUp(uint64_t address) { return PageDown(address + kPageBytes - 1); }

// The kernel extends the main stack for a touch anywhere below it, except that before
// Linux 5.0 the touch had to be near the stack pointer: so that moves down as well.
__attribute__((noinline)) void GrowStackTo(uint64_t lowest) {
  asm volatile(
      "movq %%rsp, %%rax\n"
      "1: cmpq %0, %%rsp\n"
      "jbe 2f\n"
      "subq $4096, %%rsp\n"
      "orq $0, (%%rsp)\n"
      "jmp 1b\n"
      "2: movq %%rax, %%rsp\n"
      :
      : "r"(lowest)
      : "rax", "cc", "memory");
}

void PinMainStack() {
  constexpr uint64_t kBelow = 4 * kPageBytes;  // stays unlocked, and grows
  constexpr uint64_t kKept = 256 << 10;        // of RLIMIT_STACK, for the program
  const uint64_t limit = StackBytes();
  const auto sp = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  if (main_stack_top - sp >= limit) return;  // unknown, or this is not the main stack
  const uint64_t usable = limit > kKept ? limit - kKept : 0;
  const uint64_t bytes = wanted_bytes < usable ? wanted_bytes : usable;
  if (bytes == 0) return;
  const uint64_t end = PageUp(main_stack_top);
  const uint64_t begin = end - PageUp(bytes);
  if (GetPinMode() == PinMode::kEnforce) GrowStackTo(begin - kBelow);
  Pin(begin, end, PinSource::kStack, Prefer::kEnd);
}

// pthread_attr_t, of which only its functions know the inside.
struct alignas(16) Attributes {
  unsigned char room[256];
};

struct AttributeFunctions {
  int (*init)(Attributes*);
  int (*stack_bytes)(const void*, size_t*);
  int (*guard_bytes)(const void*, size_t*);
  int (*destroy)(Attributes*);
};

// Not imported: they have several versions, of which an import would get the oldest.
bool FindAttributeFunctions(AttributeFunctions* out) {
  Wanted wanted[] = {{"pthread_attr_init", nullptr, nullptr},
                     {"pthread_attr_getstacksize", nullptr, nullptr},
                     {"pthread_attr_getguardsize", nullptr, nullptr},
                     {"pthread_attr_destroy", nullptr, nullptr}};
  FindNext(wanted, 4, Walk::kRunning);
  for (const Wanted& function : wanted)
    if (function.found == nullptr) return false;
  out->init = reinterpret_cast<int (*)(Attributes*)>(wanted[0].found);
  out->stack_bytes = reinterpret_cast<int (*)(const void*, size_t*)>(wanted[1].found);
  out->guard_bytes = reinterpret_cast<int (*)(const void*, size_t*)>(wanted[2].found);
  out->destroy = reinterpret_cast<int (*)(Attributes*)>(wanted[3].found);
  return true;
}

const AttributeFunctions* Functions() {
  static AttributeFunctions functions;
  static int state = 0;  // 1: found, -1: not there
  if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == 0) {
    AttributeFunctions found;
    const bool all = FindAttributeFunctions(&found);
    if (all) functions = found;
    __atomic_store_n(&state, all ? 1 : -1, __ATOMIC_RELEASE);
  }
  return state == 1 ? &functions : nullptr;
}

// What a thread with these attributes can use of its stack, by all that is known.
uint64_t UsableStackBytes(const pw_thread_attributes* attributes) {
  const AttributeFunctions* of = Functions();
  if (of == nullptr) return 0;
  Attributes by_default;
  const void* asked = attributes != nullptr ? static_cast<const void*>(attributes) : &by_default;
  if (attributes == nullptr && of->init(&by_default) != 0) return 0;
  size_t stack = 0, guard = 0;
  const bool known = of->stack_bytes(asked, &stack) == 0 && of->guard_bytes(asked, &guard) == 0;
  if (attributes == nullptr) of->destroy(&by_default);
  const uint64_t lost = PageUp(guard) + 2 * kPageBytes;  // C libraries round either way
  return known && stack > lost ? stack - lost : 0;
}

// What a new thread needs to know, from pthread_create to its first instruction. The
// shim has no heap, and the starting thread may be gone by then.
struct Birth {
  void* (*start)(void*);
  void* argument;
  uint64_t stack_bytes;
  bool taken;
};

constexpr size_t kBirths = 1024;
Birth births[kBirths];

// Null: as many threads are being born at this moment. Then one starts unpinned, and counts
// as such for good.
Birth* TakeBirth() {
  for (Birth& birth : births)
    if (!__atomic_exchange_n(&birth.taken, true, __ATOMIC_ACQ_REL)) return &birth;
  return nullptr;
}

void ReturnBirth(Birth* birth) { __atomic_store_n(&birth->taken, false, __ATOMIC_RELEASE); }

// The thread pointer is the top of a thread's stack, unless its creator gave it memory
// and the C library (musl) keeps its own data elsewhere.
bool EndsStack(uint64_t thread_pointer, uint64_t sp) {
  constexpr uint64_t kMostThreadData = 256 << 10;
  return thread_pointer - sp < kMostThreadData;
}

// The books say so of a dead thread's stack as long as nobody looks.
void ForgetGoneStacks() {
  constexpr uint32_t kStartsBetween = 64;
  static uint32_t starts = 0;
  const uint32_t before = __atomic_fetch_add(&starts, 1, __ATOMIC_RELAXED);
  if (before % kStartsBetween == kStartsBetween - 1) UnpinUnmapped(PinSource::kStack);
}

void PinThreadStack(uint64_t usable_bytes) {
  const auto sp = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  const uint64_t thread_pointer = ThreadPointer();
  const bool ends = EndsStack(thread_pointer, sp);
  const uint64_t top = PageUp(ends ? thread_pointer + 1 : sp);
  const uint64_t bytes = usable_bytes < wanted_bytes ? usable_bytes : wanted_bytes;
  if (ends) pw_thread.stack_bytes = usable_bytes;
  if (bytes == 0) return;
  ForgetGoneStacks();
  Pin(top - PageUp(bytes), top, PinSource::kStack, Prefer::kEnd);
}

// Jumps to the program's own routine, so that none of this is left on the stack.
void* StartThread(void* data) {
  auto* birth = static_cast<Birth*>(data);
  const Birth copy = *birth;
  ReturnBirth(birth);
  PinThreadStack(copy.stack_bytes);
  return copy.start(copy.argument);
}

}  // namespace

void ForgetBirths() {
  for (Birth& birth : births)
    if (birth.taken) birth.taken = false;  // else the child would copy the page
}

void StartPinningStacks(uint64_t bytes) {
  wanted_bytes = bytes;
  PinMainStack();
}

extern "C" int intercepted_pthread_create(void* thread, const pw_thread_attributes* attributes,
                                          void* (*start)(void*), void* argument) {
  NoticeMemory();
  const uint64_t usable = UsableStackBytes(attributes);
  Birth* birth = TakeBirth();
  if (birth == nullptr) {
    CountUnpinned(usable < wanted_bytes ? usable : wanted_bytes);
    return real_pthread_create(thread, attributes, start, argument);
  }
  birth->start = start;
  birth->argument = argument;
  birth->stack_bytes = usable;
  const int result = real_pthread_create(thread, attributes, StartThread, birth);
  if (result != 0) ReturnBirth(birth);
  return result;
}

}  // namespace pagewarden
