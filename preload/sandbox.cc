// SPDX-License-Identifier: Apache-2.0
#include "preload/sandbox.h"

#include <asm/unistd.h>
#include <linux/prctl.h>

extern "C" {
int (*real_prctl)(int, long, long, long, long) = nullptr;
long (*real_syscall)(long, long, long, long, long, long, long) = nullptr;
}

namespace pagewarden {
namespace {

bool in_sandbox = false;

void NoticePrctl(long option) {
  if (option == PR_SET_SECCOMP) EnterSandbox();
}

}  // namespace

void EnterSandbox() { __atomic_store_n(&in_sandbox, true, __ATOMIC_RELAXED); }

bool InSandbox() { return __atomic_load_n(&in_sandbox, __ATOMIC_RELAXED); }

extern "C" int intercepted_prctl(int option, long a, long b, long c, long d) {
  NoticePrctl(option);
  return real_prctl(option, a, b, c, d);
}

extern "C" long intercepted_syscall(long number, long a, long b, long c, long d, long e, long f) {
  if (number == __NR_seccomp) EnterSandbox();
  if (number == __NR_prctl) NoticePrctl(a);
  return real_syscall(number, a, b, c, d, e, f);
}

}  // namespace pagewarden
