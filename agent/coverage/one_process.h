// SPDX-License-Identifier: Apache-2.0
// The coverage of one process, read once.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "agent/coverage/coverage.h"
#include "agent/policy/model.h"

namespace pagewarden {

struct ProcessCoverage {
  // What the audit says of it. nullopt: no policy with a mode above Disabled selects it.
  std::optional<CoveredProcess> judged;
  bool has_shim = false;  // active or not
};

// By these policies, whose modes are the effective ones. NotFound: no such process.
absl::StatusOr<ProcessCoverage> ReadCoverageOf(pid_t pid,
                                               std::shared_ptr<const PolicySet> policies);

}  // namespace pagewarden
