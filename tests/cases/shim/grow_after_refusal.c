// exit: 0
// policy: grow.yaml
// What can never fit, by size or by alignment, costs the arena nothing: it neither
// grows for it in vain, nor stops growing for what comes after.
#include <malloc.h>

#include "case.h"
#include "preload/pagewarden.h"

enum { kBlocks = 2000, kBytes = 1000 };

static size_t alignment;
static void* aligned;

static void allocate_aligned(void* unused) { aligned = memalign(alignment, 16); }

static size_t capacity(void) {
  struct pagewarden_usage usage;
  CHECK(pagewarden_query(NULL, &usage) == 0);
  return usage.capacity_bytes;
}

static void ask_for_aligned(size_t wanted, int locked) {
  alignment = wanted;
  tagged(allocate_aligned, NULL);
  CHECK(aligned != NULL && (uintptr_t)aligned % wanted == 0);
  CHECK(pagewarden_is_locked(aligned) == locked);
}

int main(void) {
  mallopt(M_PERTURB, 0); /* or all of it is written to */
  const size_t before = capacity();
  void* huge = tagged_malloc((size_t)8 << 30);
  CHECK(!pagewarden_is_locked(huge)); /* null, if there is no overcommit */
  for (int i = 0; i < 20; ++i) ask_for_aligned((size_t)4 << 30, 0);
  CHECK(capacity() == before);
  ask_for_aligned(64 << 10, 1);
  for (int i = 0; i < kBlocks; ++i) CHECK(pagewarden_is_locked(tagged_malloc(kBytes)));
  CHECK(capacity() > (size_t)kBlocks * kBytes);
  return 0;
}
