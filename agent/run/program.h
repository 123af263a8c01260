// SPDX-License-Identifier: Apache-2.0
// From a command's name to the file the kernel will run.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace pagewarden {

struct Program {
  std::string path;        // for execve: as found, links not resolved
  std::string executable;  // what /proc/PID/exe will show: of a script, its interpreter
  bool is_script = false;
};

// Looks `command` up in `search_path` (the value of PATH; null: a default) as
// execvp(3) does, unless it holds a slash, and follows links and "#!" lines.
// NotFound: no such file. PermissionDenied: found, but not executable.
absl::StatusOr<Program> FindProgram(const std::string& command, const char* search_path);

}  // namespace pagewarden
