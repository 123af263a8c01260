// SPDX-License-Identifier: Apache-2.0
// exit: 0
// without: ipc_lock
// memlock: 2097152
// policy: pin_process.yaml
// What the C library unmaps, and maps again at the same place, is locked again at the
// shim's next look.
#include <dlfcn.h>
#include <malloc.h>

#include "pins.h"

enum { kBytes = 400 << 10 };

static char* allocate_and_look(void) {
  char* block = malloc(kBytes);
  CHECK(block != NULL);
  memset(block, 1, kBytes);
  dlsym(RTLD_DEFAULT, "main");
  return block;
}

int main(void) {
  CHECK(mallopt(M_MMAP_THRESHOLD, 128 << 10) == 1);
  char* first = allocate_and_look();
  const uintptr_t place = (uintptr_t)first;
  CHECK(is_locked(first));
  free(first);
  char* second = allocate_and_look();
  CHECK((uintptr_t)second == place);  /* the control: nothing else was mapped there */
  CHECK(is_locked(second));
  free(second);
  return 0;
}
