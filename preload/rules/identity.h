// SPDX-License-Identifier: Apache-2.0
// Who this process is, as selectors ask: its program and its cgroup. Asked of the
// kernel once, when it first matters; before main, or by one thread at a time.
#pragma once

#include <stddef.h>

namespace pagewarden {

class Identity {
 public:
  Identity() = default;
  Identity(const char* executable, const char* cgroup);  // of one that is known

  // As /proc/self/exe shows it. Empty: not known.
  const char* executable();

  // The path that the agent knows it by too (cgroups(7)): in the hierarchy of the memory
  // controller if that is of version 1, else in that of version 2; relative to the
  // process's cgroup namespace. Empty: not known.
  const char* cgroup();

  // Both, so that later nothing is asked.
  void Read();

 private:
  static constexpr size_t kPathBytes = 4096;  // PATH_MAX

  char executable_[kPathBytes] = {};
  char cgroup_[kPathBytes] = {};
  bool has_executable_ = false;
  bool has_cgroup_ = false;
};

extern Identity identity;

}  // namespace pagewarden
