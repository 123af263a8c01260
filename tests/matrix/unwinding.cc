// SPDX-License-Identifier: Apache-2.0
// Extents that do not return: longjmp, exceptions, and fibers that are left in
// the middle of one. Afterwards nothing is tagged; inside a fiber all is.
#include <setjmp.h>
#include <ucontext.h>

#include <stdexcept>

#include "core_check.h"

namespace {

jmp_buf escape;
ucontext_t main_context, fiber_context;

bool IsTagged() {
  void* block = malloc(64);
  const bool fenced = is_fenced(block);
  free(block);
  return fenced;
}

void JumpOut(void*) {
  CHECK(IsTagged());
  longjmp(escape, 1);
}

void ThrowOut(void*) {
  CHECK(IsTagged());
  throw std::runtime_error("thrown through the extent");
}

__attribute__((noinline)) void CheckLongjmp() {
  for (int i = 0; i < 1000; ++i)
    if (setjmp(escape) == 0) tagged(JumpOut, nullptr);
  CHECK(!IsTagged());
}

__attribute__((noinline)) void CheckExceptions() {
  for (int i = 0; i < 100; ++i) {
    bool caught = false;
    try {
      tagged(ThrowOut, nullptr);
    } catch (const std::runtime_error&) {
      caught = true;
    }
    CHECK(caught);
  }
  CHECK(!IsTagged());
}

void Yield() { CHECK(swapcontext(&fiber_context, &main_context) == 0); }

void InFiberExtent(void*) {
  CHECK(IsTagged());
  Yield();
  CHECK(IsTagged());
  Yield();
  CHECK(IsTagged());
}

void Fiber() {
  CHECK(!IsTagged());
  tagged(InFiberExtent, nullptr);
  CHECK(!IsTagged());
}

// Main runs between the halves of the fiber's extent: it is not tagged then.
__attribute__((noinline)) void CheckFibers() {
  constexpr size_t kStackBytes = 256 * 1024;
  char* stack = static_cast<char*>(malloc(kStackBytes));
  CHECK(getcontext(&fiber_context) == 0);
  fiber_context.uc_stack.ss_sp = stack;
  fiber_context.uc_stack.ss_size = kStackBytes;
  fiber_context.uc_link = &main_context;
  makecontext(&fiber_context, Fiber, 0);
  for (int i = 0; i < 3; ++i) {
    CHECK(swapcontext(&main_context, &fiber_context) == 0);
    CHECK(!IsTagged());
  }
  free(stack);
}

}  // namespace

int main(int argc, char** argv) {
  const bool fibers = argc > 1 && strcmp(argv[1], "fibers") == 0;
  if (fibers) {
    CheckFibers();
  } else {
    CheckLongjmp();
    CheckExceptions();
  }
  core_check();
  return core_done();
}
