// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/interceptors.h"

#include "preload/base/macros.h"
#include "preload/base/mem.h"
#include "preload/pins/mappings.h"
#include "preload/pins/process.h"
#include "preload/pins/sandbox.h"
#include "preload/pins/stack_bounds.h"
#include "preload/pins/stacks.h"
#include "preload/rules/file_calls.h"
#include "preload/rules/lookup.h"
#include "preload/rules/prctl.h"
#include "preload/rules/thread_names.h"
#include "preload/stack/stack_switches.h"

namespace pagewarden {
namespace {

PW_SEALED unsigned wanted = 0;

struct Interceptor {
  Intercepts group;
  const char* name;
  const void* handler;
  void** real;
};

#define PW_INTERCEPT(group, function)                                                     \
  {                                                                                       \
    Intercepts::group, #function, reinterpret_cast<const void*>(&intercepted_##function), \
        reinterpret_cast<void**>(&real_##function)                                        \
  }

const Interceptor kInterceptors[] = {
    PW_INTERCEPT(kLookup, dlsym),
    PW_INTERCEPT(kLookup, dlvsym),
    PW_INTERCEPT(kFile, open),
    PW_INTERCEPT(kFile, open64),
    PW_INTERCEPT(kFile, openat),
    PW_INTERCEPT(kFile, openat64),
    PW_INTERCEPT(kFile, __open_2),
    PW_INTERCEPT(kFile, __open64_2),
    PW_INTERCEPT(kFile, fopen),
    PW_INTERCEPT(kFile, fopen64),
    PW_INTERCEPT(kFile, close),
    PW_INTERCEPT(kFile, fclose),
    PW_INTERCEPT(kThreadName, pthread_setname_np),
    PW_INTERCEPT(kMappings, mmap),
    PW_INTERCEPT(kMappings, mmap64),
    PW_INTERCEPT(kMappings, munmap),
    PW_INTERCEPT(kMappings, mremap),
    PW_INTERCEPT(kMappings, mprotect),
    PW_INTERCEPT(kMappings, madvise),
    PW_INTERCEPT(kThreads, pthread_create),
    PW_INTERCEPT(kStackSwitches, makecontext),
    PW_INTERCEPT(kStackSwitches, sigaltstack),
    PW_INTERCEPT(kStackBounds, pthread_getattr_np),
#define PW_INTERCEPT_PRIVILEGE(function) PW_INTERCEPT(kPrivileges, function),
    PW_PRIVILEGE_CALLS(PW_INTERCEPT_PRIVILEGE) PW_INTERCEPT(kPrctl, prctl),
    PW_INTERCEPT(kSandbox, syscall),
};

// Null: nothing wants one of this name.
const Interceptor* Find(const char* name) {
  for (const Interceptor& interceptor : kInterceptors) {
    const bool is_wanted = (wanted & static_cast<unsigned>(interceptor.group)) != 0;
    if (is_wanted && Equal(interceptor.name, name)) return &interceptor;
  }
  return nullptr;
}

}  // namespace

void SetIntercepts(unsigned groups) { wanted = groups; }

const void* InterceptorOr(const char* name, const void* real) {
  const Interceptor* interceptor = Find(name);
  if (interceptor == nullptr) return real;
  __atomic_store_n(interceptor->real, const_cast<void*>(real), __ATOMIC_RELEASE);
  return interceptor->handler;
}

bool IsIntercepted(const char* name, const void* real) {
  const Interceptor* interceptor = Find(name);
  return interceptor != nullptr && __atomic_load_n(interceptor->real, __ATOMIC_ACQUIRE) == real;
}

}  // namespace pagewarden
