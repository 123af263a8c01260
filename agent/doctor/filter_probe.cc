// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/filter_probe.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace pagewarden {
namespace {

// Wrong on purpose: the kernel answers these with an error of its own, and a filter
// comes before it.
struct Probe {
  const char* name;
  long number;
  long arguments[6];
  int kernel_errors[2];  // that mean the call was let through
};

constexpr long kAddress = 4096L * 3;
constexpr long kNoSuchFlags = 0x7000;
constexpr long kWrapsAround = -4096L;
constexpr Probe kProbes[] = {
    {"mlock2", SYS_mlock2, {kAddress, 0, kNoSuchFlags}, {EINVAL}},
    {"mlock", SYS_mlock, {kWrapsAround, 8192}, {EINVAL, ENOMEM}},
    {"mlockall", SYS_mlockall, {kNoSuchFlags}, {EINVAL}},
    {"munlock", SYS_munlock, {kAddress, 0}, {}},
    // No bytes: refused after the filter, before anything is mapped.
    {"mmap(MAP_LOCKED)",
     SYS_mmap,
     {0, 0, 0, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0},
     {EINVAL}},
    {"memfd_secret", SYS_memfd_secret, {kNoSuchFlags}, {EINVAL, ENOSYS}},
};

// True: some memory may be locked, so the kernel itself does not say EPERM.
bool RaiseLimit() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return false;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_max != 0;
}

[[noreturn]] void Try(const Probe& probe) {
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const bool may_lock = RaiseLimit();
  const long* a = probe.arguments;
  const long result = syscall(probe.number, a[0], a[1], a[2], a[3], a[4], a[5]);
  int error = result < 0 ? errno : 0;
  if (error == EPERM && !may_lock && probe.number == SYS_mlock) error = 0;
  _exit(error < 255 ? error : 255);
}

bool IsKernels(const Probe& probe, int error) {
  return error == 0 || error == probe.kernel_errors[0] || error == probe.kernel_errors[1];
}

ProbedCall Ask(const Probe& probe) {
  ProbedCall call;
  call.name = probe.name;
  const pid_t child = fork();
  if (child < 0) return call;
  if (child == 0) Try(probe);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    call.answer = FilterAnswer::kKilled;
  } else if (WIFEXITED(status)) {
    call.error = WEXITSTATUS(status);
    call.answer = IsKernels(probe, call.error) ? FilterAnswer::kAllowed : FilterAnswer::kRefused;
  }
  return call;
}

}  // namespace

FilterProbe ProbeFilter() {
  FilterProbe probe;
  for (const Probe& call : kProbes) probe.calls.push_back(Ask(call));
  return probe;
}

}  // namespace pagewarden
