// SPDX-License-Identifier: Apache-2.0
// Secrets that are freed after main: by exit handlers, by destructors of static
// objects, of the executable and of a library, after the shim's own turn.
#include "core_check.h"

namespace {

// Priority 101 is the first constructor and the last destructor of the program.
unsigned char* oldest = nullptr;
__attribute__((constructor(101))) void MakeOldest() { oldest = new_secret(64); }
__attribute__((destructor(101))) void FreeOldest() {
  CHECK(is_fenced(oldest) && holds_secret(oldest, 64));
  oldest = static_cast<unsigned char*>(realloc(oldest, 900));
  free(oldest);
  CHECK(all_zero(oldest, 900));
  unsigned char* late = new_secret(64);  // even now
  free(late);
  puts("core: fenced");
  fflush(stdout);
}

struct Holder {
  unsigned char* secret = new_secret(100);
  ~Holder() {
    CHECK(is_fenced(secret) && holds_secret(secret, 100));
    free(secret);
    CHECK(all_zero(secret, 100));
  }
};
Holder holder;

unsigned char* handed = nullptr;
void FreeHanded() {
  CHECK(is_fenced(handed) && holds_secret(handed, 64));
  free(handed);
}

}  // namespace

int main() {
  core_check();
  handed = new_secret(64);
  CHECK(atexit(FreeHanded) == 0);
  return kProperExit;
}
