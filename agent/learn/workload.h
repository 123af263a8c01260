// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"

namespace pagewarden {

// Runs `command` in a shell and waits for it; its standard output goes to
// standard error. Aborted: it did not exit with status 0. Cancelled: SIGHUP,
// SIGINT or SIGTERM, which the caller has blocked, came meanwhile.
absl::Status RunWorkload(const std::string& command);

}  // namespace pagewarden
