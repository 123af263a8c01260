// SPDX-License-Identifier: Apache-2.0
#include "preload/pins/stack_bounds.h"

#include "preload/base/limits.h"
#include "preload/base/macros.h"
#include "preload/elf/elf_lookup.h"
#include "preload/fence/size_classes.h"
#include "preload/rules/scopes.h"

extern "C" {
int (*real_pthread_getattr_np)(unsigned long, void*) = nullptr;
}

namespace pagewarden {
namespace {

PW_SEALED int (*get_stack)(const void*, void**, size_t*) = nullptr;
PW_SEALED int (*set_stack)(void*, void*, size_t) = nullptr;

// The mappings that the main stack consists of, and the end of what lies below them.
struct MainStack {
  uint64_t below = 0;
  uint64_t begin = 0;
  uint64_t end = 0;
};

MainStack FindMainStack() {
  MainStack stack;
  MappingsReader mappings;
  Mapping mapping;
  while (mappings.Next(&mapping)) {
    if (mapping.begin == stack.end && stack.end != 0) {
      stack.end = mapping.end;
    } else if (stack.end == 0 && IsMainStack(mapping)) {
      stack.begin = mapping.begin;
      stack.end = mapping.end;
    } else if (stack.end == 0) {
      stack.below = mapping.end;
    }
  }
  return stack;
}

uint64_t LowestOf(const MainStack& stack) {
  const uint64_t limit = StackBytes() / kPageBytes * kPageBytes;
  const bool reaches_others = limit >= stack.end - stack.below;
  return reaches_others ? stack.below : stack.end - limit;
}

// Only what begins in the midst of the main stack is wrong.
void Correct(void* attributes) {
  void* at;
  size_t bytes;
  if (get_stack(attributes, &at, &bytes) != 0) return;
  const auto begin = reinterpret_cast<uint64_t>(at);
  const MainStack stack = FindMainStack();
  if (begin <= stack.begin || begin >= stack.end) return;
  const uint64_t lowest = LowestOf(stack);
  if (lowest >= begin) return;
  set_stack(attributes, reinterpret_cast<void*>(lowest), begin + bytes - lowest);
}

}  // namespace

bool IsMainStack(const Mapping& mapping) {
  return main_stack_top - mapping.begin < kDeepestStack ||
         main_stack_top - (mapping.end - 1) < kDeepestStack;
}

void StartCorrectingStackBounds() {
  Wanted wanted[] = {{"pthread_attr_getstack", nullptr, nullptr},
                     {"pthread_attr_setstack", nullptr, nullptr}};
  FindNext(wanted, 2, Walk::kBeforeMain);
  get_stack = reinterpret_cast<int (*)(const void*, void**, size_t*)>(wanted[0].found);
  set_stack = reinterpret_cast<int (*)(void*, void*, size_t)>(wanted[1].found);
}

extern "C" int intercepted_pthread_getattr_np(unsigned long thread, void* attributes) {
  const int result = real_pthread_getattr_np(thread, attributes);
  if (result == 0 && get_stack != nullptr && set_stack != nullptr) Correct(attributes);
  return result;
}

}  // namespace pagewarden
