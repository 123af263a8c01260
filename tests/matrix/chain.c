/* SPDX-License-Identifier: Apache-2.0 */
/* Another allocator in the chain: "below" the shim it serves what is not
   tagged, "above" it serves everything. Each allocator is asked by its own
   interface whether a block is its own. */
#include "core_check.h"

__attribute__((weak)) int mallctl(const char* name, void* old, size_t* old_bytes, void*, size_t);
__attribute__((weak)) int MallocExtension_GetNumericProperty(const char* name, size_t* value);
__attribute__((weak)) _Bool mi_is_in_heap_region(const void* block);

static size_t allocated(void) {
  size_t bytes = 0, size = sizeof bytes;
  if (mallctl != NULL)
    CHECK(mallctl("thread.allocated", &bytes, &size, NULL, 0) == 0);
  else
    CHECK(MallocExtension_GetNumericProperty("generic.current_allocated_bytes", &bytes));
  return bytes;
}

/* Whether the other allocator serves `allocate`. */
static int is_served(void* (*allocate)(size_t)) {
  enum { kBytes = 100000 };
  if (mi_is_in_heap_region != NULL) {
    void* block = allocate(kBytes);
    const int served = mi_is_in_heap_region(block);
    free(block);
    return served;
  }
  const size_t before = allocated();
  void* block = allocate(kBytes);
  const int served = allocated() >= before + kBytes;
  free(block);
  return served;
}

int main(int argc, char** argv) {
  const int above = argc > 1 && strcmp(argv[1], "above") == 0;
  CHECK(is_served(malloc));
  CHECK(is_served(tagged_malloc) == above);
  if (above)
    works_unfenced();
  else
    core_check();
  hold();
  return core_done();
}
