// SPDX-License-Identifier: Apache-2.0
// `pin.process`: what mlockall(MCL_CURRENT | MCL_FUTURE) promises, without what it
// breaks. Under a limit the kernel charges address space for it, and later mappings,
// threads and stack growth fail.
//
// Where nothing limits this process, mlockall is what it gets, on fault. Else the shim
// locks what can be written, as far as the limit allows, and follows the program: what
// it maps, starts and allocates. It looks at everything anew before fork, at thread
// start and when modules are loaded.
#pragma once

#include "preload/base/macros.h"

namespace pagewarden {

// For Start, after everything else is pinned that the policy names.
void StartPinningProcess();

// Whether the program's calls of any module matter.
bool PinsProcess();

// The heap may have grown: by the C library, which calls brk itself. Cheap, for every
// few allocations.
void NoticeHeap();

// All else may have changed.
void NoticeMemory();

// In the child of fork, after RelockPins.
void RelockProcess();

// A right to exceed the limit may go with the next call.
void NoticePrivilegeCall();
void NoticeSystemCall(long number, long a, long b, long c);

extern PW_HIDDEN bool follows_heap;

}  // namespace pagewarden

#define PW_PRIVILEGE_CALLS(DO) \
  DO(setuid)                   \
  DO(seteuid)                  \
  DO(setreuid)                 \
  DO(setresuid)                \
  DO(capset)                   \
  DO(setrlimit)                \
  DO(setrlimit64)              \
  DO(prlimit)                  \
  DO(prlimit64)                \
  DO(unshare)                  \
  DO(setns)

extern "C" {
#define PW_DECLARE(function)                            \
  extern int (*real_##function)(long, long, long, long); \
  int intercepted_##function(long a, long b, long c, long d);
PW_PRIVILEGE_CALLS(PW_DECLARE)
#undef PW_DECLARE
}
