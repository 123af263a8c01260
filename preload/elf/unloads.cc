// SPDX-License-Identifier: Apache-2.0
#include "preload/elf/unloads.h"

#include <stdint.h>

#include "preload/elf/loader_lock.h"
#include "preload/elf/modules.h"
#include "preload/rules/scopes.h"
#include "preload/rules/sites.h"

namespace pagewarden {
namespace {

uint64_t seen = 0;

}  // namespace

void NoticeUnloads() {
  const bool is_known = MayLockLoader();
  const uint64_t unloads = is_known ? CountUnloads() : 0;
  if (is_known && unloads == __atomic_load_n(&seen, __ATOMIC_ACQUIRE)) return;
  FlushSites();
  UnbindLateScopes();
  __atomic_store_n(&seen, unloads, __ATOMIC_RELEASE);
}

}  // namespace pagewarden
