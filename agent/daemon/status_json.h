// SPDX-License-Identifier: Apache-2.0
// Answers of the agent's socket as JSON. schemaVersion 1; docs/agent.md names the fields.
#pragma once

#include <string>

#include "agent/daemon/agent_view.h"

namespace pagewarden {

// GET /v1/status: policies, the last reload, coverage, budgets, secrets, hooks, rights.
std::string StatusJson(const AgentView& view);

// GET /v1/policies: those in force, with the text of their files.
std::string PoliciesJson(const AgentView& view);

}  // namespace pagewarden
