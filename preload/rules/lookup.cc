// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/lookup.h"

#include <stdint.h>

#include "preload/pins/data.h"
#include "preload/pins/process.h"
#include "preload/rules/scopes.h"

extern "C" {
void* (*real_dlsym)(void* handle, const char* name) = nullptr;
void* (*real_dlvsym)(void* handle, const char* name, const char* version) = nullptr;
}

namespace pagewarden {
namespace {

// RTLD_DEFAULT and RTLD_NEXT ask relative to their caller, so they must be jumped
// to. The first finds the hook by itself; who asks for the next wants to be past it.
bool IsRelative(const void* handle) {
  return handle == nullptr || reinterpret_cast<intptr_t>(handle) == -1;
}

}  // namespace

extern "C" void* intercepted_dlsym(void* handle, const char* name) {
  NoticeModules();
  NoticeMemory();
  if (IsRelative(handle)) return real_dlsym(handle, name);
  return const_cast<void*>(HookOr(name, real_dlsym(handle, name)));
}

extern "C" void* intercepted_dlvsym(void* handle, const char* name, const char* version) {
  NoticeModules();
  NoticeMemory();
  if (IsRelative(handle)) return real_dlvsym(handle, name, version);
  return const_cast<void*>(HookOr(name, real_dlvsym(handle, name, version)));
}

}  // namespace pagewarden
