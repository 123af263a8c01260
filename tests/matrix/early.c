/* SPDX-License-Identifier: Apache-2.0 */
/* A program, and with EARLY_LIBRARY a library that is initialised before it,
   whose first constructor allocates. What is tagged then is fenced already. */
#include "core_check.h"

static unsigned char* secret;
static char* untagged;

__attribute__((constructor(101))) static void early(void) {
  untagged = strcpy(malloc(100), "early");
  secret = new_secret(64);
}

#ifdef EARLY_LIBRARY
void check_early(void) {
#else
void check_early(void);

int main(void) {
  check_early();
#endif
  CHECK(is_fenced(secret) && holds_secret(secret, 64));
  CHECK(!is_fenced(untagged) && strcmp(untagged, "early") == 0);
  free(secret), free(untagged);
  CHECK(all_zero(secret, 64));
#ifndef EARLY_LIBRARY
  core_check();
  return core_done();
#endif
}
