// SPDX-License-Identifier: Apache-2.0
#include "preload/stack/stack_scrub.h"

#include "preload/base/limits.h"
#include "preload/base/sys.h"
#include "preload/base/thread.h"
#include "preload/fence/size_classes.h"
#include "preload/rules/scopes.h"
#include "preload/stack/stack_switches.h"

namespace pagewarden {

PW_SEALED uint64_t scrub_bytes = 0;

namespace {

PW_SEALED uint64_t main_stack_bytes = 0;  // RLIMIT_STACK: nothing else is mapped so near

// How far down from `sp` the main stack can be read. It grows for that, if it must.
uint64_t LowestOfMainStack(uint64_t sp, uint64_t wanted) {
  const uint64_t floor = main_stack_top - main_stack_bytes;
  uint64_t lowest = sp / kPageBytes * kPageBytes;
  while (lowest > wanted && lowest - kPageBytes >= floor && sys::IsReadable(lowest - kPageBytes))
    lowest -= kPageBytes;
  return lowest > wanted ? lowest : wanted;
}

uint64_t LowestKnown(uint64_t sp, uint64_t wanted) {
  if (HasInnerStacks()) return sp;
  const bool is_on_main_stack = pw_thread.is_main && main_stack_top - sp < main_stack_bytes;
  if (is_on_main_stack) return LowestOfMainStack(sp, wanted);
  const uint64_t top = ThreadPointer();
  const uint64_t known = pw_thread.stack_bytes;
  if (pw_thread.is_main || top - sp > known) return sp;
  return wanted > top - known ? wanted : top - known;
}

// In registers only: all below its own return address may go, its red zone too. A
// signal's frame lies there while its handler runs, and then this does not.
__attribute__((noinline)) void ZeroFrom(uint64_t at) {
  uint64_t bytes;
  asm volatile(
      "movq %%rsp, %1\n"
      "subq %0, %1\n"
      "rep stosb"
      : "+D"(at), "=&c"(bytes)
      : "a"(0)
      : "memory");
}

}  // namespace

void StartScrubbing(uint64_t bytes) {
  scrub_bytes = bytes;
  main_stack_bytes = StackBytes();
  if (main_stack_bytes > kDeepestStack) main_stack_bytes = kDeepestStack;
}

PW_COLD void ScrubDeadStack() {
  const auto sp = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  const uint64_t lowest = LowestKnown(sp, sp - scrub_bytes);
  if (sp - lowest > kPageBytes / 4) ZeroFrom(lowest);
}

}  // namespace pagewarden
