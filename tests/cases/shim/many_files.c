/* SPDX-License-Identifier: Apache-2.0 */
/* Has a file with secrets open more often than a thread has records, for counters_test.py. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORDS = 9, MORE = 5 };  /* preload/base/thread.h */

int main(void) {
  char folder[] = "/tmp/pagewarden-XXXXXX";
  if (mkdtemp(folder) == NULL || chdir(folder) != 0 || mkdir("read_from_case", 0700) != 0) return 2;
  for (int i = 0; i < RECORDS + MORE; ++i)
    if (open("read_from_case/secret.key", O_CREAT | O_RDONLY, 0600) < 0) return 2;
  if (remove("read_from_case/secret.key") != 0 || remove("read_from_case") != 0 ||
      remove(folder) != 0)
    return 2;
  puts("ready");
  fflush(stdout);
  return getchar() == EOF ? 0 : 1;
}
