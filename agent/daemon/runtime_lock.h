// SPDX-License-Identifier: Apache-2.0
// One agent in a runtime directory.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/base/unique_fd.h"

namespace pagewarden {

// Held until it is destroyed, or its process ends in whatever way.
class RuntimeLock {
 public:
  // DIRECTORY/agent.lock, made when missing; the pid is in it. AlreadyExists: another
  // agent holds it, and its pid.
  static absl::StatusOr<RuntimeLock> Take(const std::string& directory);

 private:
  explicit RuntimeLock(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace pagewarden
