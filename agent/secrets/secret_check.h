// SPDX-License-Identifier: Apache-2.0
// One check of all secrets that policies name.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/policy/model.h"
#include "agent/secrets/pacer.h"
#include "agent/secrets/secret_report.h"

namespace pagewarden {

struct SecretTargets {
  std::shared_ptr<const PolicySet> policies = std::make_shared<PolicySet>();
  std::map<std::string, std::vector<pid_t>> processes;  // by policy
};

// The policies that name secrets and select some process, and their files.
std::map<std::string, std::vector<std::string>> WatchedFiles(const SecretTargets& targets);

// Whether the policy still selects the process, at the time of the call.
using IsStillTarget = std::function<bool(const std::string& policy, pid_t pid)>;

// Reads the files, as the processes of each mount namespace see them, looks at all of its
// processes, and after `confirm_after` again at what is not fenced. What is gone meanwhile is
// passed over; so is this process. Cancelled: the pacer was ended.
absl::StatusOr<SecretReport> CheckSecrets(const SecretTargets& targets,
                                          const IsStillTarget& is_still_target,
                                          absl::Duration confirm_after, Pacer& pacer);

}  // namespace pagewarden
