/* SPDX-License-Identifier: Apache-2.0 */
/* Not linked, under a policy with two arenas: first, and strict, which says Fail. */
#include <errno.h>

#include "case.h"
#include "preload/pagewarden.h"

static size_t live(const char* arena) {
  struct pagewarden_usage usage;
  CHECK(pagewarden_query(arena, &usage) == 0);
  CHECK(usage.capacity_bytes == 16384 && usage.locked_bytes == 16384);
  return usage.live_allocations;
}

static void check_names(void) {
  void* by_default = pagewarden_alloc(NULL, 64);
  void* first = pagewarden_alloc("first", 64);
  void* strict = pagewarden_alloc("strict", 64);
  CHECK(is_fenced(by_default) && is_fenced(first) && is_fenced(strict));
  CHECK(live(NULL) == 2 && live("first") == 2 && live("strict") == 1);
  pagewarden_free(by_default), pagewarden_free(first), pagewarden_free(strict);
  errno = 0; /* the policy decides which arenas there are */
  CHECK(pagewarden_alloc("default", 64) == NULL && errno == ENOENT);
}

/* The innermost extent wins. */
static void check_nesting(void) {
  CHECK(pagewarden_begin("first") == 0 && pagewarden_begin("strict") == 0);
  void* strict = malloc(64);
  CHECK(live("first") == 0 && live("strict") == 1);
  pagewarden_end();
  void* first = malloc(64);
  CHECK(live("first") == 1 && live("strict") == 1);
  pagewarden_end();
  strict = pagewarden_resize(strict, 3000); /* stays in its own arena */
  CHECK(live("first") == 1 && live("strict") == 1);
  pagewarden_free(first), pagewarden_free(strict);
}

static void check_fail(void) {
  void* secret = pagewarden_alloc("strict", 64);
  memset(secret, 's', 64);
  errno = 0;
  CHECK(pagewarden_alloc("strict", 20000) == NULL && errno == ENOMEM);
  errno = 0;
  CHECK(pagewarden_resize(secret, 20000) == NULL && errno == ENOMEM);
  CHECK(((char*)secret)[63] == 's' && is_fenced(secret)); /* as it was */
  errno = 0;
  CHECK(pagewarden_begin("strict") == 0 && malloc(20000) == NULL && errno == ENOMEM);
  pagewarden_end();
  pagewarden_free(secret);
}

int main(void) {
  CHECK(pagewarden_present());
  check_names();
  check_nesting();
  check_fail();
  return 0;
}
