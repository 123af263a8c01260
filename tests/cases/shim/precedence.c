// exit: 0
// policy: precedence.yaml
// Of the rules that match an allocation the first applies, whatever their forms, and
// however the functions that they name are nested.
#include "case.h"
#include "libcaller.h"
#include "preload/pagewarden.h"

static const char* const kArenas[] = {"small", "large",      "any",       "inner",
                                      "site",  "other-site", "everywhere"};
enum { ARENAS = sizeof kArenas / sizeof *kArenas };

/* The arena that the block lies in: the one whose use its free makes less. */
static const char* arena_of(void* block) {
  struct pagewarden_usage before[ARENAS], after;
  for (int i = 0; i < ARENAS; ++i) CHECK(pagewarden_query(kArenas[i], &before[i]) == 0);
  free(block);
  for (int i = 0; i < ARENAS; ++i) {
    CHECK(pagewarden_query(kArenas[i], &after) == 0);
    if (after.live_allocations != before[i].live_allocations) return kArenas[i];
  }
  return "none";
}

#define CHECK_ARENA(block, arena) CHECK(strcmp(arena_of(block), arena) == 0)

static void in_tagged(void* unused) {
  CHECK_ARENA(malloc(64), "small");
  CHECK_ARENA(malloc(65), "any");
  CHECK_ARENA(malloc(20000), "large");
  CHECK_ARENA(malloc(1550), "any");  /* before `everywhere` */
  CHECK_ARENA(called(BY_MALLOC, 32), "site");
  CHECK_ARENA(other_malloc(32), "other-site");
  CHECK_ARENA(tagged_malloc(32), "small");  /* the outer extent's rule comes first */
  CHECK_ARENA(tagged_malloc(100), "any");
  CHECK_ARENA(tagged_malloc(20000), "large");
}

static void deep(void* level) {
  in_tagged(NULL);
  if ((intptr_t)level < 20) tagged(deep, (void*)((intptr_t)level + 1));
  in_tagged(NULL);
}

static void asked_for_by_name(void* unused) {
  CHECK(pagewarden_begin("everywhere") == 0);
  CHECK_ARENA(malloc(32), "everywhere");
  CHECK_ARENA(called(BY_MALLOC, 32), "everywhere");
  CHECK_ARENA(tagged_malloc(32), "everywhere");
  CHECK(pagewarden_begin("inner") == 0);
  CHECK_ARENA(malloc(32), "inner");
  pagewarden_end();
  pagewarden_end();
  CHECK_ARENA(malloc(32), "small");
}

int main(void) {
  for (int round = 0; round < 2; ++round) {
    CHECK_ARENA(malloc(32), "none");
    CHECK_ARENA(malloc(1550), "everywhere");
    CHECK_ARENA(called(BY_MALLOC, 1550), "site");
    CHECK_ARENA(tagged_malloc(32), "inner");
    CHECK_ARENA(tagged_malloc(20000), "large");
    tagged(in_tagged, NULL);
    tagged(deep, NULL);
    tagged(asked_for_by_name, NULL);
  }
  return 0;
}
