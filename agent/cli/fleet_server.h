// SPDX-License-Identifier: Apache-2.0
// The options of `fleet` that say where the server is and who asks.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/fleet/ask_fleet.h"

namespace pagewarden {

struct FleetServerOptions {
  std::string url;
  std::string token_file;
  std::string basic_auth_file;
  std::vector<std::string> headers;  // "NAME: VALUE"
  double timeout_seconds = 10;
};

// Reads the files, which only root and the running user may be able to change. Any error is one
// of usage; it does not hold what is in the files.
absl::StatusOr<FleetServer> FleetServerOf(const FleetServerOptions& options);

}  // namespace pagewarden
