// SPDX-License-Identifier: Apache-2.0
// As absent.c, in C++11.
#include <cstdlib>

#include "preload/pagewarden.h"

int main() {
  void* block = pagewarden_present() ? pagewarden_alloc("keys", 64) : std::malloc(64);
  const bool works = !pagewarden_present() && block != nullptr;
  std::free(block);
  return works ? EXIT_SUCCESS : EXIT_FAILURE;
}
