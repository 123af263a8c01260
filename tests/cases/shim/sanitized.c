/* SPDX-License-Identifier: Apache-2.0 */
/* Built once with each sanitizer (sanitizers_test.py): says where a tagged
   block came from. */
#include "case.h"

int main(void) {
  char* secret = memset(tagged_malloc(64), 0x5a, 64);
  puts(is_fenced(secret) ? "fenced" : "plain");
  free(secret);
  return 0;
}
