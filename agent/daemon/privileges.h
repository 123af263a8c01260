// SPDX-License-Identifier: Apache-2.0
// What the agent may do, and what it gives up once its programs are attached
// (capabilities(7); docs/agent.md says what each is for).
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace pagewarden {

struct AgentPrivileges {
  std::vector<std::string> kept;     // "CAP_BPF", …
  std::vector<std::string> missing;  // of those that it has a use for
  bool no_new_privileges = false;
  bool bounded = false;  // the bounding set holds no more than `kept`
};

// What is lost without the capability; empty: it is not one that the agent uses.
std::string LossWithout(const std::string& capability);

// Keeps what the agent still needs, in this thread and those that it starts from now on:
// effective and permitted capabilities, none inheritable or ambient, none to be had by
// executing a file. The error: what could not be given up.
absl::StatusOr<AgentPrivileges> DropPrivileges();

}  // namespace pagewarden
