// SPDX-License-Identifier: Apache-2.0
// What the kernel gave a process at exec, from its own memory: it may have changed it.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace pagewarden {

// AT_SECURE of the bytes of /proc/PID/auxv (getauxval(3)); nullopt: not in there.
std::optional<bool> SecureExecutionOf(absl::string_view auxv);

// LD_PRELOAD of the bytes of /proc/PID/environ; empty: not set.
std::string PreloadOf(absl::string_view environment);

}  // namespace pagewarden
