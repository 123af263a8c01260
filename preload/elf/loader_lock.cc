// SPDX-License-Identifier: Apache-2.0
#include "preload/elf/loader_lock.h"

extern "C" {
// glibc 2.32 and later. Where it is missing, musl takes the lock around fork itself.
extern char libc_single_threaded asm("__libc_single_threaded") __attribute__((weak));
}

namespace pagewarden {
namespace {

bool child_may_lock = true;
bool may_lock = true;

}  // namespace

bool MayLockLoader() { return may_lock; }

// Written only when it changes: each write would copy a page, here and in the child.
void BeforeForkOfLoader() {
  const bool may = &libc_single_threaded == nullptr || libc_single_threaded != 0;
  if (may != child_may_lock) child_may_lock = may;
}

void AfterForkOfLoaderInChild() {
  if (may_lock && !child_may_lock) may_lock = false;
}

}  // namespace pagewarden
