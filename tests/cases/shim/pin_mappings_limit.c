// exit: 0
// without: ipc_lock
// memlock: 65536
// policy: pin_mappings.yaml
// Past the limit the program goes on as it would unlocked, and that is counted.
#include <sys/mman.h>

#include "pins.h"

int main(void) {
  enum { kHalf = 32 << 10, kLarge = 8 << 20 };
  char* half = pool_map(kHalf, PROT_READ | PROT_WRITE);
  char* large = pool_map(kLarge, PROT_READ | PROT_WRITE);
  CHECK(half != MAP_FAILED && large != MAP_FAILED);
  CHECK(is_locked(half) && !is_locked(large + kLarge - 1));
  CHECK(pinned_bytes() == (unsigned long)locked_bytes());
  CHECK(pinned_bytes() + unpinned_bytes() == kHalf + kLarge);
  memset(large, 1, kLarge);
  half[0] = 7;
  half = pool_remap(half, kHalf, kLarge);  /* a locked mapping may not grow so far */
  CHECK(half != MAP_FAILED && half[0] == 7 && half[kLarge - 1] == 0);
  CHECK(pinned_bytes() + unpinned_bytes() == 2 * kLarge);
  CHECK(pinned_bytes() == (unsigned long)locked_bytes() && locked_bytes() <= 65536);
  return 0;
}
