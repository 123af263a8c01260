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

// No module has one of this name: for an error that dlerror(3) knows of.
constexpr char kNothing[] = "(named by a rule, and defined nowhere)";

const char* Askable(const char* name) { return IsHookOfNothing(name) ? kNothing : name; }

// The handle of the program finds hooks too, those of single modules do not.
bool IsNothing(const char* name, const void* found) {
  return found != nullptr && IsHook(name, found) && IsHookOfNothing(name);
}

}  // namespace

extern "C" void* intercepted_dlsym(void* handle, const char* name) {
  NoticeModules();
  NoticeMemory();
  if (IsRelative(handle)) return real_dlsym(handle, Askable(name));
  void* found = real_dlsym(handle, name);
  if (IsNothing(name, found)) return real_dlsym(handle, kNothing);
  return const_cast<void*>(HookOr(name, found));
}

extern "C" void* intercepted_dlvsym(void* handle, const char* name, const char* version) {
  NoticeModules();
  NoticeMemory();
  if (IsRelative(handle)) return real_dlvsym(handle, Askable(name), version);
  void* found = real_dlvsym(handle, name, version);
  if (IsNothing(name, found)) return real_dlvsym(handle, kNothing, version);
  return const_cast<void*>(HookOr(name, found));
}

}  // namespace pagewarden
