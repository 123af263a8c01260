// SPDX-License-Identifier: Apache-2.0
// Whether this process has asked for a seccomp filter. Filters end a process for
// mlock(2) (OpenSSH's does), so that nothing is locked late from then on. Asking
// the kernel is no way to find out: that may be what the filter kills for.
//
// prctl and syscall are watched (abi/interceptors.h). A filter put in place by a
// system call instruction of the program's own is not seen.
#pragma once

namespace pagewarden {

// Around a system call, which may enter one. It counts from before the call, and no more
// if that fails.
class SandboxCall {
 public:
  SandboxCall(long number, long a);
  void Returned(long result);

 private:
  const bool enters_;
};

bool InSandbox();

}  // namespace pagewarden

extern "C" {
extern long (*real_syscall)(long, long, long, long, long, long, long);
long intercepted_syscall(long number, long a, long b, long c, long d, long e, long f);
}
