/* SPDX-License-Identifier: Apache-2.0 */
/* core-dump abort|wait: takes a secret from stdin into a tagged block, works with
   it, and dies dumping core, or waits to be looked at. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kSecretBytes = 64 };

void* tagged_malloc(size_t bytes); /* libcase.so */

int main(int count, char** arguments) {
  unsigned char* secret = tagged_malloc(kSecretBytes);
  unsigned char* copy = tagged_malloc(kSecretBytes);
  if (count != 2 || secret == NULL || copy == NULL) return 1;
  if (read(STDIN_FILENO, secret, kSecretBytes) != kSecretBytes) return 1;
  /* The copy passes through vector registers, which a core holds as well. */
  memcpy(copy, secret, kSecretBytes);
  const int same = memcmp(copy, secret, kSecretBytes) == 0;
  free(copy);
  if (!same) return 1;
  if (strcmp(arguments[1], "abort") == 0) abort();
  puts("ready");
  fflush(stdout);
  pause();
  return 0;
}
