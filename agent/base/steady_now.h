// SPDX-License-Identifier: Apache-2.0
// The clock that deadlines go by: it neither stops nor jumps when somebody sets the time.
#pragma once

#include <time.h>

#include "absl/time/time.h"

namespace pagewarden {

// CLOCK_MONOTONIC, counted from absl::UnixEpoch(): to be compared with itself only.
inline absl::Time SteadyNow() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::TimeFromTimespec(now);
}

}  // namespace pagewarden
