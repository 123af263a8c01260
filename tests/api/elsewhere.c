/* SPDX-License-Identifier: Apache-2.0 */
/* A full arena under AllocateUnlocked: the secret is in ordinary memory, which is
   counted, and is wiped all the same when it moves, shrinks or goes. */
#include <malloc.h>

#include "case.h"
#include "preload/pagewarden.h"

enum { kBytes = 20000, kLinks = 64 }; /* the allocator links free blocks at their start */

static int is_wiped(const char* from, const char* to) {
  return all_zero(from + kLinks, (size_t)(to - from) - kLinks);
}

int main(void) {
  struct pagewarden_usage usage;
  char* secret = pagewarden_alloc("first", kBytes);
  void* neighbour = malloc(64); /* else the freed block goes back to the kernel */
  CHECK(secret != NULL && !pagewarden_is_locked(secret) && !has_flag(secret, " lo"));
  CHECK(pagewarden_query("first", &usage) == 0);
  CHECK(usage.fallbacks == 1 && usage.live_allocations == 0);
  memset(secret, 's', kBytes);

  char* larger = pagewarden_resize(secret, 2 * kBytes);
  CHECK(larger != NULL && larger[0] == 's' && larger[kBytes - 1] == 's');
  CHECK(is_wiped(secret, secret + kBytes));

  memset(larger, 's', 2 * kBytes);
  char* smaller = pagewarden_resize(larger, 100);
  CHECK(smaller != NULL && smaller[99] == 's');
  CHECK(all_zero(smaller + 100, malloc_usable_size(smaller) - 100));
  CHECK(is_wiped(larger + kBytes, larger + 2 * kBytes));

  pagewarden_free(smaller);
  CHECK(is_wiped(smaller, smaller + 100));
  free(neighbour);
  return 0;
}
