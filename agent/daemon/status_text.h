// SPDX-License-Identifier: Apache-2.0
// The agent's status for people, from what /v1/status answered.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace pagewarden {

// Text of another process is made printable. What is missing or of another type counts as
// empty: the agent may be of another version.
std::string StatusText(const nlohmann::ordered_json& status);

bool LastReloadIsGood(const nlohmann::ordered_json& status);

}  // namespace pagewarden
