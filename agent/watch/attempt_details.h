// SPDX-License-Identifier: Apache-2.0
// What of an attempt only /proc can tell, while its process is still there.
#pragma once

#include <sys/types.h>

#include "agent/reasons/attempt.h"

namespace pagewarden {

// vm.max_map_count, the mappings of the range and the sum of the locked ones, the part
// of a perf buffer that is beyond perf_event_mlock_kb, the owner of a SysV segment
// (`shm_id`). What cannot be read, or has changed since, stays as it is.
void AddProcDetails(pid_t pid, int shm_id, Attempt& attempt);

}  // namespace pagewarden
