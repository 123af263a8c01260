// SPDX-License-Identifier: Apache-2.0
// The parts of `pagewarden agent`, one file each, and what asks a running agent.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace CLI {
class App;
}

namespace pagewarden {

void AddAgentStatus(CLI::App& group, int& exit_code);

// What a running agent answers. Unavailable: there is none at that socket.
absl::StatusOr<nlohmann::ordered_json> AskAgent(const std::string& socket,
                                                const std::string& target);

}  // namespace pagewarden
