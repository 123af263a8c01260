/* SPDX-License-Identifier: Apache-2.0 */
/* A program that the shim cannot cover: it works as if the shim were not there. */
#include "core_check.h"

int main(void) {
  works_unfenced();
  hold();
  puts("uncovered: works");
  return kProperExit;
}
