// SPDX-License-Identifier: Apache-2.0
#include "preload/stack/stack_switches.h"

#include <stdint.h>

#include "preload/rules/scopes.h"

extern "C" {
void (*real_makecontext)(pw_context*, void (*)(), long, long, long, long) = nullptr;
int (*real_sigaltstack)(const pw_stack*, pw_stack*) = nullptr;
}

namespace pagewarden {
namespace {

bool has_inner_stacks = false;

void Notice(const pw_stack& stack) {
  if (StackTop(reinterpret_cast<uint64_t>(stack.begin)) != 0)
    __atomic_store_n(&has_inner_stacks, true, __ATOMIC_RELAXED);
}

}  // namespace

bool HasInnerStacks() { return __atomic_load_n(&has_inner_stacks, __ATOMIC_RELAXED); }

// A jump, by which further arguments stay where they are.
extern "C" void intercepted_makecontext(pw_context* context, void (*start)(), long count, long a,
                                        long b, long c) {
  Notice(context->stack);
  real_makecontext(context, start, count, a, b, c);
}

extern "C" int intercepted_sigaltstack(const pw_stack* stack, pw_stack* before) {
  if (stack != nullptr) Notice(*stack);
  return real_sigaltstack(stack, before);
}

}  // namespace pagewarden
