// exit: 0
// policy: callers_executable.yaml
// The executable is a module like others, and its functions are known if it exports them.
#include "case.h"
#include "libcaller.h"

__attribute__((noinline)) void* visible_malloc(size_t bytes) {
  void* block = malloc(bytes);
  __asm__ volatile("" : "+r"(block));
  return block;
}

__attribute__((noinline)) static void* hidden_malloc(size_t bytes) {
  void* block = malloc(bytes);
  __asm__ volatile("" : "+r"(block));
  return block;
}

static int fences(void* (*function)(size_t), size_t bytes) {
  void* block = function(bytes);
  const int fenced = is_fenced(block);
  free(block);
  return fenced;
}

int main(void) {
  for (int round = 0; round < 3; ++round) {
    CHECK(fences(visible_malloc, 100));
    CHECK(!fences(hidden_malloc, 100));
    CHECK(fences(hidden_malloc, 1000));
    CHECK(!fences(other_malloc, 1000));
  }
  return 0;
}
