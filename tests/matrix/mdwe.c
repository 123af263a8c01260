/* SPDX-License-Identifier: Apache-2.0 */
/* Started under PR_SET_MDWE (systemd's MemoryDenyWriteExecute): no memory may
   become executable that was not mapped so. */
#include <errno.h>
#include <sys/mman.h>

#include "core_check.h"

int main(void) {
  void* page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(mprotect(page, 4096, PROT_READ | PROT_EXEC) == -1 && errno == EACCES);
  core_check();
  return core_done();
}
