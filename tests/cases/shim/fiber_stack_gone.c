// exit: 0
// A fiber ends, and its stack is unmapped; its last extent is still on record. The
// next fiber's malloc must not look there.
#include <sys/mman.h>
#include <ucontext.h>

#include "case.h"

enum { kStackBytes = 64 << 10, kDistance = 512 << 10 };

static ucontext_t main_context, fiber_context;
static void* tagged_block;
static void* plain;

/* Nothing more: the next allocation here would strike the extent off. */
static void tag(void) { tagged_block = tagged_malloc(40); }
static void allocate(void) { plain = malloc(100); }

static void run_fiber(char* stack, void (*body)(void)) {
  CHECK(getcontext(&fiber_context) == 0);
  fiber_context.uc_stack.ss_sp = stack;
  fiber_context.uc_stack.ss_size = kStackBytes;
  fiber_context.uc_link = &main_context;
  makecontext(&fiber_context, body, 0);
  CHECK(swapcontext(&main_context, &fiber_context) == 0);
}

int main(void) {
  char* stacks = mmap(NULL, 2 * kDistance, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                      -1, 0);
  CHECK(stacks != MAP_FAILED);
  run_fiber(stacks + kDistance, tag);
  CHECK(munmap(stacks + kDistance, kDistance) == 0);
  run_fiber(stacks, allocate);
  CHECK(plain != NULL && !has_flag(plain, " lo") && is_fenced(tagged_block));
  return 0;
}
