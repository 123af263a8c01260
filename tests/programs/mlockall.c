/* SPDX-License-Identifier: Apache-2.0 */
/* What `pin: {process: true}` replaces: a library to preload that locks everything. */
#include <sys/mman.h>

__attribute__((constructor)) static void lock_everything(void) {
  mlockall(MCL_CURRENT | MCL_FUTURE);
  mlockall(MCL_FUTURE); /* where the first is refused */
}
