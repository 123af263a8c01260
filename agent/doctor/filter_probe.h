// SPDX-License-Identifier: Apache-2.0
// What the seccomp filter of this process makes of the calls that lock memory, by
// trying them in children: filters are inherited, so a command meets the same.
#pragma once

#include <string>
#include <vector>

namespace pagewarden {

enum class FilterAnswer {
  kAllowed,
  kRefused,  // an error other than those the kernel itself gives for the call tried
  kKilled,   // SIGSYS, or a filter's own kill
  kUnknown,  // the child could not be made
};

struct ProbedCall {
  std::string name;  // "mlock2", "memfd_secret", …
  FilterAnswer answer = FilterAnswer::kUnknown;
  int error = 0;  // of kRefused
};

struct FilterProbe {
  std::vector<ProbedCall> calls;
};

// Tries mlock, mlock2, mlockall, munlock, mmap(MAP_LOCKED) and memfd_secret with
// arguments that lock nothing, one child each. Takes some ms.
FilterProbe ProbeFilter();

}  // namespace pagewarden
