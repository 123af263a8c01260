// SPDX-License-Identifier: Apache-2.0
// One check of the secrets of one policy, in the processes that see the same files.
//
// For a guarded process (agent/proof/guarded_process.h) on its guarded stack: it reads the
// secrets and searches memory.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/secrets/pacer.h"
#include "agent/secrets/secret_report.h"

namespace pagewarden {

struct GroupRequest {
  std::string policy;
  std::vector<std::string> files;  // absolute paths below the processes' root directory
  std::vector<pid_t> pids;         // not empty; of one mount namespace and root directory
  bool sees_own_files = false;     // these are this program's own
  bool has_pins = false;           // the policy locks memory outside of arenas
  absl::Duration confirm_after;    // between the two looks at an unfenced copy
  double duty = 1;                 // the part of the time that is spent, above 0 and up to 1
};

struct GroupResult {
  std::vector<SecretCopies> copies;  // without cgroups
  std::vector<SecretError> errors;
  size_t failures = 0;        // processes that could not be searched
  std::string first_failure;  // which one and why; printable
};

// Whether the process is still to be looked at, at the time of the call.
using MayLook = std::function<bool(pid_t pid)>;

// Reads the files as the processes see them, looks at each of these, and after confirm_after
// again at what is not fenced. What is gone meanwhile is passed over. Cancelled: the pacer was
// ended.
absl::StatusOr<GroupResult> CheckGroup(const GroupRequest& request, const MayLook& may_look,
                                       Pacer& pacer);

}  // namespace pagewarden
