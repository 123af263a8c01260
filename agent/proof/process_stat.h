// SPDX-License-Identifier: Apache-2.0
// What /proc/PID/stat (proc(5)) says about a process's place and its first stack.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/proof/page_map.h"

namespace pagewarden {

struct ProcessStat {
  pid_t parent = 0;
  uint64_t start_ticks = 0;  // since boot, of sysconf(_SC_CLK_TCK) a second
  bool has_memory = false;   // not a kernel thread, and not at its end
  // The strings of argv and of environ, as execve(2) laid them out. Empty where
  // the reader may not trace the process.
  AddressRange arguments;
  AddressRange environment;
};

// InvalidArgument: not of the documented form.
absl::StatusOr<ProcessStat> ParseProcessStat(absl::string_view text);

// NotFound: the process is gone.
absl::StatusOr<ProcessStat> ReadProcessStat(pid_t pid);

}  // namespace pagewarden
