// SPDX-License-Identifier: Apache-2.0
// The agent: watches, audits, reloads policies, tells of events and answers requests.
//
//   auto agent = AgentLoop::Start(options);
//   if (agent.ok()) exit_code = (*agent)->Run();
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "agent/daemon/agent_options.h"

namespace pagewarden {

class AgentLoop {
 public:
  // Attaches, gives up rights, loads policies, makes the first audit and listens. What
  // cannot be had is said on stderr and in the status; the error is what the agent cannot
  // be without. AlreadyExists: another agent runs in that runtime directory.
  static absl::StatusOr<std::unique_ptr<AgentLoop>> Start(const AgentOptions& options);
  ~AgentLoop();

  // Until SIGTERM or SIGINT.
  void Run();

 private:
  struct Parts;
  explicit AgentLoop(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace pagewarden
