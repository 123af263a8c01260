// SPDX-License-Identifier: Apache-2.0
// exit: 0
// without: ipc_lock
// memlock: 1048576
// policy: pin_process.yaml
// A mapping that fits the limit only in part is not parted by a lock, and still grows,
// shrinks and moves as one.
#include <sys/mman.h>

#include "pins.h"

enum { kBytes = 3 << 20 };

static void resize(int sharing, size_t bytes) {
  const size_t kept = bytes < kBytes ? bytes : kBytes;
  char* at = mmap(NULL, kBytes, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
  CHECK(at != MAP_FAILED);
  memset(at, 1, kBytes);
  at = mremap(at, kBytes, bytes, MREMAP_MAYMOVE);
  CHECK(at != MAP_FAILED && at[0] == 1 && at[kept - 1] == 1);
  CHECK(pinned_bytes() <= (unsigned long)locked_bytes());
  CHECK(munmap(at, bytes) == 0);
}

int main(void) {
  resize(MAP_PRIVATE, 2 * kBytes);
  resize(MAP_PRIVATE, kBytes / 2);
  resize(MAP_SHARED, 2 * kBytes);
  return 0;
}
