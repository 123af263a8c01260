// exit: 0
// The next allocator cannot tell how large a block is: what is resized during a
// hooked call stays with it, whole, and counts; what is allocated then is fenced.
#include "case.h"
#include "preload/pagewarden.h"

static char* block;

static void grow(void* unused) { block = realloc(block, 200); }

int main(void) {
  struct pagewarden_usage usage;
  char* before = malloc(16);
  block = malloc(100);
  char* after = malloc(64);
  memset(before, 0xff, 16); /* where libc keeps a size */
  memset(after, 7, 64);
  strcpy(block, "hello");
  tagged(grow, NULL);
  CHECK(block != NULL && strcmp(block, "hello") == 0 && !is_fenced(block));
  for (int i = 0; i < 64; ++i) CHECK(after[i] == 7);
  CHECK(pagewarden_query(NULL, &usage) == 0 && usage.fallbacks == 1);
  free(block);
  char* fresh = tagged_malloc(100);
  CHECK(is_fenced(fresh));
  strcpy(fresh, "secret");
  fresh = realloc(fresh, 1000);
  CHECK(is_fenced(fresh) && strcmp(fresh, "secret") == 0);
  free(fresh);
  return 0;
}
