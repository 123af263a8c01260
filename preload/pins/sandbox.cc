// SPDX-License-Identifier: Apache-2.0
#include "preload/pins/sandbox.h"

#include <asm/unistd.h>
#include <linux/prctl.h>

#include "preload/pins/process.h"

extern "C" {
long (*real_syscall)(long, long, long, long, long, long, long) = nullptr;
}

namespace pagewarden {
namespace {

bool in_sandbox = false;

}  // namespace

void EnterSandbox() { __atomic_store_n(&in_sandbox, true, __ATOMIC_RELAXED); }

void NoticePrctl(long option) {
  if (option == PR_SET_SECCOMP) EnterSandbox();
}

bool InSandbox() { return __atomic_load_n(&in_sandbox, __ATOMIC_RELAXED); }

extern "C" long intercepted_syscall(long number, long a, long b, long c, long d, long e, long f) {
  if (number == __NR_seccomp) EnterSandbox();
  if (number == __NR_prctl) NoticePrctl(a);
  NoticeSystemCall(number);
  return real_syscall(number, a, b, c, d, e, f);
}

}  // namespace pagewarden
