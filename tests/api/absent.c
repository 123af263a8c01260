/* SPDX-License-Identifier: Apache-2.0 */
/* Neither linked nor preloaded: the references are null and the program's malloc
   is its own. C99, with every warning that a user might turn on. */
#include <stdlib.h>

#include "preload/pagewarden.h"

int main(void) {
  void* block = pagewarden_present() ? pagewarden_alloc("keys", 64) : malloc(64);
  const int works = !pagewarden_present() && block != NULL;
  free(block);
  return works ? EXIT_SUCCESS : EXIT_FAILURE;
}
