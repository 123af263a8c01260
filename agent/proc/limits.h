// SPDX-License-Identifier: Apache-2.0
// RLIMIT_MEMLOCK as the kernel and /proc/PID/limits give it (proc(5)).
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/proc/status.h"

namespace pagewarden {

// RLIM_INFINITY (all ones) becomes nullopt.
std::optional<uint64_t> LimitFromRlim(uint64_t limit);

// Parses the text of /proc/PID/limits. InvalidArgument: the "Max locked memory"
// row is missing, malformed or not in bytes.
absl::StatusOr<MemlockLimits> ParseMemlockLimits(absl::string_view text);

}  // namespace pagewarden
