/* SPDX-License-Identifier: Apache-2.0 */
/* Closes every descriptor and executes itself again, as sshd does. */
#include "core_check.h"

int main(int argc, char** argv) {
  unsigned char* secret = new_secret(64);
  closefrom(3);
  CHECK(holds_secret(secret, 64));
  core_check();
  if (argc == 1) {
    execl("/proc/self/exe", argv[0], "again", NULL);
    CHECK(!"exec");
  }
  hold();
  free(secret);
  return core_done();
}
