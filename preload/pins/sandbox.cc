// SPDX-License-Identifier: Apache-2.0
#include "preload/pins/sandbox.h"

#include <asm/unistd.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "preload/fence/fork.h"
#include "preload/pins/process.h"
#include "preload/rules/thread_names.h"

extern "C" {
long (*real_syscall)(long, long, long, long, long, long, long) = nullptr;
}

namespace pagewarden {
namespace {

bool in_sandbox = false;

bool SetsFilter(long number, long a) {
  if (number == __NR_prctl) return a == PR_SET_SECCOMP;
  return number == __NR_seccomp && (a == SECCOMP_SET_MODE_STRICT || a == SECCOMP_SET_MODE_FILTER);
}

}  // namespace

SandboxCall::SandboxCall(long number, long a)
    : enters_(SetsFilter(number, a) && !InSandbox() && !SharesParentsMemory()) {
  if (!enters_) return;
  if (HasFilters()) ReadFilters();  // the thread need not ask for its name in there
  __atomic_store_n(&in_sandbox, true, __ATOMIC_RELAXED);
}

void SandboxCall::Returned(long result) {
  if (enters_ && result < 0) __atomic_store_n(&in_sandbox, false, __ATOMIC_RELAXED);
}

bool InSandbox() { return __atomic_load_n(&in_sandbox, __ATOMIC_RELAXED); }

// A jump where it can be: clone(2) and vfork(2) return on another stack, or twice on this.
extern "C" long intercepted_syscall(long number, long a, long b, long c, long d, long e, long f) {
  NoticeSystemCall(number, a, b, c);
  if (!SetsFilter(number, a)) return real_syscall(number, a, b, c, d, e, f);
  SandboxCall call(number, a);
  const long result = real_syscall(number, a, b, c, d, e, f);
  call.Returned(result);
  return result;
}

}  // namespace pagewarden
