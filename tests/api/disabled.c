/* SPDX-License-Identifier: Apache-2.0 */
/* With PAGEWARDEN_DISABLED set, the library is there and gives out plain memory. */
#include <errno.h>

#include "case.h"
#include "preload/pagewarden.h"

enum { kUntouched = 4711 };

int main(void) {
  struct pagewarden_usage usage;
  errno = kUntouched;
  char* block = pagewarden_alloc(NULL, 64);
  CHECK(pagewarden_present() && block != NULL && all_zero(block, 64));
  CHECK(pagewarden_is_locked(block) == 0 && !has_flag(block, " lo"));
  strcpy(block, "secret");
  block = pagewarden_resize(block, 0); /* unlike realloc, which might free it */
  CHECK(block != NULL);
  block = pagewarden_resize(block, 64);
  CHECK(block != NULL);
  CHECK(pagewarden_begin("any") == 0);
  pagewarden_end();
  pagewarden_free(block);
  CHECK(errno == kUntouched);
  CHECK(pagewarden_query(NULL, &usage) == -1 && errno == ENOENT);
  return 0;
}
