// exit: 0
// without: ipc_lock
// memlock: 0
// Where nothing may be locked the program goes on; its secrets are still kept
// out of core dumps, guarded and wiped, and the ledger says that they are not
// locked.
#include "case.h"

int main(void) {
  unsigned char* volatile secret = tagged_malloc(64);
  CHECK(has_flag(secret, " dd") && !has_flag(secret, " lo"));
  memset(secret, 0xa5, 64);
  free(secret);
  CHECK(all_zero(secret, 64));
  return 0;
}
