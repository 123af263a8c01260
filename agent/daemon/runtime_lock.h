// SPDX-License-Identifier: Apache-2.0
// One agent in a runtime directory, and what others may want to know of it without asking.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "agent/base/unique_fd.h"
#include "preload/abi/policy_image.h"

namespace pagewarden {

// Held until it is destroyed, or its process ends in whatever way.
class RuntimeLock {
 public:
  // DIRECTORY/agent.lock, made when missing; the pid is in it, and the highest mode that the
  // agent allows. AlreadyExists: another agent holds it, and its pid.
  static absl::StatusOr<RuntimeLock> Take(const std::string& directory,
                                          std::optional<abi::Mode> max_mode);

 private:
  explicit RuntimeLock(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

// --max-mode of the agent that holds the lock at this moment, however busy it is; nullopt:
// it has none, no agent runs there, or it is another user's. Never waits, and is in no
// agent's way.
// FailedPrecondition: others may write the file.
absl::StatusOr<std::optional<abi::Mode>> ReadAgentMaxMode(const std::string& directory);

}  // namespace pagewarden
