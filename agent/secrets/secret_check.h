// SPDX-License-Identifier: Apache-2.0
// One check of the secrets that policies name, put together from those of groups of processes
// that see the same files.
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
#include "agent/secrets/group_check.h"
#include "agent/secrets/secret_report.h"

namespace pagewarden {

using PidsByPolicy = std::map<std::string, std::vector<pid_t>>;

struct SecretTargets {
  std::shared_ptr<const PolicySet> policies = std::make_shared<PolicySet>();
  PidsByPolicy processes;
};

// The policies that name secrets and select some process, and their files.
std::map<std::string, std::vector<std::string>> WatchedFiles(const SecretTargets& targets);

// Whether they hold the process.
bool IsTarget(const SecretTargets& targets, const std::string& policy, pid_t pid);

// Whether the policy still selects the process, at the time of the call.
using IsStillTarget = std::function<bool(const std::string& policy, pid_t pid)>;

// Reads the secrets of a group and looks for them. Cancelled: told to end. Other errors are of
// this group alone.
using GroupChecker =
    std::function<absl::StatusOr<GroupResult>(const GroupRequest& request, const MayLook&)>;

struct CheckOptions {
  absl::Duration confirm_after = absl::Seconds(1);
  double duty = 0.25;
};

// What is gone meanwhile is passed over; so is this process. Cancelled: as `check_group`.
absl::StatusOr<SecretReport> CheckSecrets(const SecretTargets& targets,
                                          const IsStillTarget& is_still_target,
                                          const CheckOptions& options,
                                          const GroupChecker& check_group);

}  // namespace pagewarden
