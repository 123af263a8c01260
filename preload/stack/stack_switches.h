// SPDX-License-Identifier: Apache-2.0
// Stacks that the program gives to fibers and signal handlers. One that lies within the
// stack of a thread, such as an array in main, has live frames below it.
#pragma once

namespace pagewarden {

// Whether there ever was one.
bool HasInnerStacks();

}  // namespace pagewarden

extern "C" {
struct pw_stack {  // stack_t
  void* begin;
  int flags;
  unsigned long bytes;
};
struct pw_context {  // ucontext_t, as far as this matters
  unsigned long flags;
  pw_context* link;
  pw_stack stack;
};
extern void (*real_makecontext)(pw_context*, void (*)(), long, long, long, long);
extern int (*real_sigaltstack)(const pw_stack*, pw_stack*);
void intercepted_makecontext(pw_context* context, void (*start)(), long count, long a, long b,
                             long c);
int intercepted_sigaltstack(const pw_stack* stack, pw_stack* before);
}
