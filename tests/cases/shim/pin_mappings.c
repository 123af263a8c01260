// exit: 0
// policy: pin_mappings.yaml
// What a named module gets from mmap is locked as soon as it can be written, not
// before, and in children too. Discarding locked memory works as it does elsewhere.
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "pins.h"

enum { kBytes = 256 << 10, kPage = 4096 };

static char* pool;

static int is_resident(void* p) {
  unsigned char there = 0;
  CHECK(mincore(p, 1, &there) == 0);
  return there & 1;
}

static void check_pool(void) {
  CHECK(is_locked(pool) && is_locked(pool + kBytes - 1));
  CHECK(pinned_bytes() == kBytes && unpinned_bytes() == 0);
  CHECK(locked_bytes() == kBytes);
}

static void others_are_left_alone(void) {
  char* own = mmap(NULL, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(own != MAP_FAILED && !is_locked(own));
  CHECK(munmap(own, kBytes) == 0);
}

static void reservation_costs_nothing(void) {
  char* reserved = pool_map(1l << 34, PROT_NONE);
  CHECK(reserved != MAP_FAILED && !is_locked(reserved));
  CHECK(pool_protect(reserved + kBytes, kBytes, PROT_READ | PROT_WRITE) == 0);
  CHECK(is_locked(reserved + kBytes) && !is_locked(reserved) && !is_locked(reserved + 2 * kBytes));
  CHECK(locked_bytes() == 2 * kBytes && pinned_bytes() == 2 * kBytes);
  CHECK(pool_unmap(reserved, 1l << 34) == 0);
}

static void discards(int advice) {
  memset(pool, 0xa5, kBytes);
  CHECK(syscall(SYS_madvise, pool, kBytes, advice) == -1 && errno == EINVAL);  /* the control */
  errno = 0;
  CHECK(pool_advise(pool, 2 * kPage, advice) == 0 && errno == 0);
  CHECK(all_zero(pool, 2 * kPage) && pool[2 * kPage] == (char)0xa5);
}

static void moves(void) {
  pool[0] = 7;
  pool = pool_remap(pool, kBytes, 64 * kBytes);
  CHECK(pool != MAP_FAILED && pool[0] == 7);
  CHECK(is_locked(pool) && is_locked(pool + 64 * kBytes - 1));
  CHECK(pinned_bytes() == 64 * kBytes);
  pool = pool_remap(pool, 64 * kBytes, kBytes);
}

int main(void) {
  pool = pool_map(kBytes, PROT_READ | PROT_WRITE);
  check_pool();
  CHECK(!is_resident(pool + kPage));
  others_are_left_alone();
  reservation_costs_nothing();
  check_pool();
  discards(MADV_DONTNEED);
  discards(MADV_FREE);
  moves();
  check_pool();
  in_child(check_pool);
  CHECK(pool_unmap(pool + kPage, kPage) == 0);
  CHECK(pinned_bytes() == kBytes - kPage && locked_bytes() == kBytes - kPage);
  CHECK(pool_unmap(pool, kBytes) == 0);
  CHECK(pinned_bytes() == 0 && locked_bytes() == 0);
  return 0;
}
