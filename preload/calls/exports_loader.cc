// SPDX-License-Identifier: Apache-2.0
// dlopen and dlmopen: jumps, never calls, since the loader searches the RUNPATH
// of whoever its return address belongs to. dlclose is nobody's business here.
#include "preload/calls/exports_loader.h"

#include "preload/base/ledger.h"
#include "preload/base/macros.h"
#include "preload/calls/next.h"
#include "preload/elf/unloads.h"
#include "preload/pins/data.h"

namespace pagewarden {
namespace {

constexpr int kDeepBind = 8;        // RTLD_DEEPBIND
constexpr long kBaseNamespace = 0;  // LM_ID_BASE

PW_SEALED int kept_flags = ~0;

}  // namespace

void ClearDeepBind() { kept_flags = ~kDeepBind; }

PW_EXPORT void* dlopen(const char* file, int flags) {
  NoticeModules();
  NoticeUnloads();
  return next_dlopen(file, flags & kept_flags);
}

PW_EXPORT void* dlmopen(long space, const char* file, int flags) {
  NoticeUnloads();
  if (space == kBaseNamespace) return next_dlmopen(space, file, flags & kept_flags);
  Count(ledger.namespaces);  // its libc does not know the shim
  return next_dlmopen(space, file, flags);
}

}  // namespace pagewarden
