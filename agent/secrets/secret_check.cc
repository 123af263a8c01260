// SPDX-License-Identifier: Apache-2.0
#include "agent/secrets/secret_check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/proc/status.h"

namespace pagewarden {
namespace {

// Tells apart what processes see below "/": their mount namespace, and the directory and mount
// that is their root there (chroot(2)). Empty: it cannot be read.
std::string RootOf(const std::string& process) {
  const std::string directory = absl::StrCat("/proc/", process);
  char target[NAME_MAX];
  const ssize_t bytes =
      readlink(absl::StrCat(directory, "/ns/mnt").c_str(), target, sizeof(target));
  struct statx root = {};
  const bool is_found = statx(AT_FDCWD, absl::StrCat(directory, "/root").c_str(), 0,
                              STATX_INO | STATX_MNT_ID, &root) == 0;
  if (bytes < 0 || !is_found) return "";
  return absl::StrCat(absl::string_view(target, static_cast<size_t>(bytes)), " ",
                      root.stx_dev_major, ":", root.stx_dev_minor, " ", root.stx_ino, " ",
                      root.stx_mnt_id);
}

bool HasPins(const Pin& pin) {
  return pin.process || pin.environment || pin.stack_bytes > 0 || !pin.mappings.empty() ||
         !pin.data.empty();
}

bool IsAlive(pid_t pid) {
  const auto status = ReadStatus(pid);
  return status.ok() && status->has_memory;
}

class SecretCheck {
 public:
  SecretCheck(const IsStillTarget& is_still_target, const CheckOptions& options,
              const GroupChecker& check_group)
      : is_still_target_(is_still_target),
        options_(options),
        check_group_(check_group),
        own_root_(RootOf("self")),
        hierarchy_(CgroupHierarchy::Find()) {}

  absl::Status CheckPolicy(const AllocationPolicy& policy, const std::vector<pid_t>& pids) {
    const std::string& name = policy.metadata.name;
    const MayLook may_look = [&](pid_t pid) { return is_still_target_(name, pid); };
    GroupResult all;
    for (auto& [root, group] : GroupsOf(pids, may_look)) {
      const GroupRequest request = {name,
                                    policy.spec.secrets,
                                    std::move(group),
                                    root == own_root_,
                                    HasPins(policy.spec.pin),
                                    options_.confirm_after,
                                    options_.duty};
      auto result = check_group_(request, may_look);
      if (absl::IsCancelled(result.status())) return result.status();
      Add(request, std::move(result), all);
    }
    AddProcessError(name, all);
    return absl::OkStatus();
  }

  SecretReport report;

 private:
  // By RootOf.
  static std::map<std::string, std::vector<pid_t>> GroupsOf(const std::vector<pid_t>& pids,
                                                            const MayLook& may_look) {
    std::map<std::string, std::vector<pid_t>> groups;
    for (const pid_t pid : pids) {
      if (pid == getpid() || !may_look(pid)) continue;
      const std::string root = RootOf(absl::StrCat(pid));
      if (!root.empty() || IsAlive(pid)) groups[root].push_back(pid);
    }
    return groups;
  }

  void Add(const GroupRequest& request, absl::StatusOr<GroupResult> result, GroupResult& all) {
    if (!result.ok()) {
      const bool is_unlocked = absl::IsFailedPrecondition(result.status());
      report.errors.push_back({request.policy, "", is_unlocked ? kSecretUnlocked : kSecretProcess,
                               std::string(result.status().message())});
      return;
    }
    for (SecretCopies& copies : result->copies) {
      if (hierarchy_.ok()) copies.cgroup = hierarchy_->PathOf(copies.pid).value_or("");
      report.copies.push_back(std::move(copies));
    }
    std::move(result->errors.begin(), result->errors.end(), std::back_inserter(report.errors));
    all.failures += result->failures;
    if (all.first_failure.empty()) all.first_failure = result->first_failure;
  }

  void AddProcessError(const std::string& policy, const GroupResult& all) {
    if (all.failures == 0) return;
    std::string text = all.first_failure;
    if (all.failures > 1) absl::StrAppend(&text, ", and ", all.failures - 1, " more");
    report.errors.push_back({policy, "", kSecretProcess, std::move(text)});
  }

  const IsStillTarget& is_still_target_;
  const CheckOptions& options_;
  const GroupChecker& check_group_;
  const std::string own_root_;
  const absl::StatusOr<CgroupHierarchy> hierarchy_;
};

}  // namespace

std::map<std::string, std::vector<std::string>> WatchedFiles(const SecretTargets& targets) {
  std::map<std::string, std::vector<std::string>> files;
  for (const AllocationPolicy& policy : targets.policies->policies) {
    const auto pids = targets.processes.find(policy.metadata.name);
    if (policy.spec.secrets.empty() || pids == targets.processes.end()) continue;
    if (!pids->second.empty()) files[policy.metadata.name] = policy.spec.secrets;
  }
  return files;
}

bool IsTarget(const SecretTargets& targets, const std::string& policy, pid_t pid) {
  const auto pids = targets.processes.find(policy);
  return pids != targets.processes.end() &&
         std::find(pids->second.begin(), pids->second.end(), pid) != pids->second.end();
}

absl::StatusOr<SecretReport> CheckSecrets(const SecretTargets& targets,
                                          const IsStillTarget& is_still_target,
                                          const CheckOptions& options,
                                          const GroupChecker& check_group) {
  const absl::Time start = absl::Now();
  SecretCheck check(is_still_target, options, check_group);
  const auto watched = WatchedFiles(targets);
  for (const AllocationPolicy& policy : targets.policies->policies) {
    if (watched.count(policy.metadata.name) == 0) continue;
    const absl::Status status =
        check.CheckPolicy(policy, targets.processes.at(policy.metadata.name));
    if (!status.ok()) return status;
  }
  check.report.checked = absl::Now();
  check.report.took = check.report.checked - start;
  return std::move(check.report);
}

}  // namespace pagewarden
