// SPDX-License-Identifier: Apache-2.0
#include "agent/secrets/secret_check.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <set>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agent/base/unique_fd.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/proc/status.h"
#include "agent/proof/secret_bytes.h"
#include "agent/secrets/live_search.h"
#include "agent/secrets/watched_file.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxPlaces = 8;
constexpr size_t kMaxMappingName = 100;

std::string MountNamespace(const std::string& process) {
  char target[NAME_MAX];
  const ssize_t bytes =
      readlink(absl::StrCat("/proc/", process, "/ns/mnt").c_str(), target, sizeof(target));
  return bytes < 0 ? "" : std::string(target, static_cast<size_t>(bytes));
}

// The name is the other process's choice.
std::string Printable(absl::string_view name) {
  std::string text(name.substr(0, kMaxMappingName));
  for (char& c : text) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
  }
  return text;
}

std::string DescribePlace(const FoundCopy& copy) {
  return absl::StrCat(copy.representation, " in ", Printable(copy.mapping), " (",
                      PlaceKindName(copy.kind), copy.stale.value_or(false) ? ", stale)" : ")");
}

bool HasPins(const Pin& pin) {
  return pin.process || pin.environment || pin.stack_bytes > 0 || !pin.mappings.empty() ||
         !pin.data.empty();
}

// The processes of one policy that see the same files.
struct Group {
  const AllocationPolicy& policy;
  std::string mount_namespace;
  std::vector<pid_t> pids;
};

class Check {
 public:
  Check(const IsStillTarget& is_still_target, absl::Duration confirm_after, Pacer& pacer)
      : is_still_target_(is_still_target),
        confirm_after_(confirm_after),
        pacer_(pacer),
        hierarchy_(CgroupHierarchy::Find()) {
    options_.mapped_pages_of_files = true;
    options_.go_on = [this] { return pacer_.GoOn(); };
  }

  absl::Status SearchPolicy(const AllocationPolicy& policy, const std::vector<pid_t>& pids) {
    std::map<std::string, Group> groups;
    for (const pid_t pid : pids) {
      if (pid == getpid() || !is_still_target_(policy.metadata.name, pid)) continue;
      const std::string mounts = MountNamespace(absl::StrCat(pid));
      if (mounts.empty() && !IsAlive(pid)) continue;
      groups.try_emplace(mounts, Group{policy, mounts, {}}).first->second.pids.push_back(pid);
    }
    failures_ = {};
    for (const auto& [mounts, group] : groups) {
      if (absl::Status status = SearchGroup(group); !status.ok()) return status;
    }
    AddProcessError(policy);
    return absl::OkStatus();
  }

  SecretReport report;

 private:
  struct Failures {
    size_t processes = 0;
    std::string first;
  };

  static bool IsAlive(pid_t pid) {
    const auto status = ReadStatus(pid);
    return status.ok() && status->has_memory;
  }

  absl::Status SearchGroup(const Group& group) {
    NeedleSet needles;
    std::set<std::string> files = LoadFiles(group, needles);
    if (needles.size() == 0) return absl::OkStatus();
    const LiveSearch search(needles, options_);
    std::vector<LookResult> looks;
    bool may_miss = false;
    for (const pid_t pid : group.pids) {
      if (!is_still_target_(group.policy.metadata.name, pid)) continue;
      auto seen = search.Look(pid);
      if (absl::IsCancelled(seen.status())) return seen.status();
      if (!seen.ok()) {
        may_miss |= AddFailure(pid, seen.status().message());
        continue;
      }
      if (!seen->has_secret_memory) {
        for (const std::string& line : seen->unreadable) may_miss |= AddFailure(pid, line);
      }
      may_miss |= seen->has_secret_memory;
      for (const auto& [file, count] : seen->fenced) files.erase(file);
      for (const Copy& copy : seen->unfenced) files.erase(needles.Source(needles[copy.needle]));
      looks.push_back(*std::move(seen));
    }
    if (!looks.empty() && !may_miss) AddNotFound(group, files, needles);
    return Confirm(group, search, looks);
  }

  // The files whose secrets are searched for.
  std::set<std::string> LoadFiles(const Group& group, NeedleSet& needles) {
    absl::Cleanup wipe = [] { WipeDeadStack(); };
    std::set<std::string> files;
    const UniqueFd root = OpenRoot(group);
    std::vector<uid_t> owners;
    for (const pid_t pid : group.pids) {
      if (const auto status = ReadStatus(pid); status.ok()) owners.push_back(status->uid);
    }
    for (const std::string& file : group.policy.spec.secrets) {
      if (!root.ok()) {
        AddError(group, file, {"unreadable", "the file system of its processes cannot be opened"});
        continue;
      }
      const auto problem = AddSecretFile(root.get(), file, owners, needles);
      if (problem.has_value()) {
        AddError(group, file, *problem);
      } else {
        files.insert(file);
      }
    }
    return files;
  }

  static UniqueFd OpenRoot(const Group& group) {
    constexpr int kFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    if (group.mount_namespace == MountNamespace("self")) return UniqueFd(open("/", kFlags));
    return UniqueFd(open(absl::StrCat("/proc/", group.pids.front(), "/root").c_str(), kFlags));
  }

  absl::Status Confirm(const Group& group, const LiveSearch& search,
                       const std::vector<LookResult>& looks) {
    const bool has_unfenced = std::any_of(
        looks.begin(), looks.end(), [](const LookResult& look) { return !look.unfenced.empty(); });
    if (has_unfenced && !pacer_.Sleep(confirm_after_)) return absl::CancelledError("ended");
    for (const LookResult& look : looks) {
      auto lasting = look.unfenced.empty() ? std::vector<FoundCopy>() : search.LookAgain(look);
      if (absl::IsCancelled(lasting.status())) return lasting.status();
      if (!lasting.ok()) AddFailure(look.pid, lasting.status().message());
      AddCopies(group, look, lasting.ok() ? *lasting : std::vector<FoundCopy>());
    }
    return absl::OkStatus();
  }

  void AddCopies(const Group& group, const LookResult& look,
                 const std::vector<FoundCopy>& lasting) {
    std::map<std::string, SecretCopies> by_file;
    for (const auto& [file, count] : look.fenced) by_file[file].fenced = count;
    for (const FoundCopy& copy : lasting) {
      SecretCopies& copies = by_file[copy.secret];
      if (copy.locked && HasPins(group.policy.spec.pin)) {
        ++copies.pinned;
        continue;
      }
      ++copies.unfenced;
      std::string place = DescribePlace(copy);
      const bool is_known =
          std::find(copies.where.begin(), copies.where.end(), place) != copies.where.end();
      if (!is_known && copies.where.size() < kMaxPlaces) copies.where.push_back(std::move(place));
    }
    const auto status = ReadStatus(look.pid);
    for (auto& [file, copies] : by_file) {
      copies.policy = group.policy.metadata.name;
      copies.file = file;
      copies.pid = look.pid;
      if (status.ok()) copies.comm = status->comm;
      if (hierarchy_.ok()) copies.cgroup = hierarchy_->PathOf(look.pid).value_or("");
      report.copies.push_back(std::move(copies));
    }
  }

  void AddError(const Group& group, const std::string& file, const SecretFileProblem& problem) {
    std::string text = absl::StrCat(file, ": ", problem.text);
    if (group.mount_namespace != MountNamespace("self")) {
      absl::StrAppend(&text, " (as process ", group.pids.front(), " sees it)");
    }
    report.errors.push_back({group.policy.metadata.name, file, problem.reason, std::move(text)});
  }

  void AddNotFound(const Group& group, const std::set<std::string>& files,
                   const NeedleSet& needles) {
    for (const std::string& file : files) {
      if (needles.Shares(file)) continue;
      AddError(group, file,
               {"not_found", absl::StrCat("no copy in any of ", group.pids.size(),
                                          " processes: do they hold an older one?")});
    }
  }

  // False: it is no failure, as the process is gone.
  bool AddFailure(pid_t pid, absl::string_view why) {
    if (!IsAlive(pid)) return false;
    ++failures_.processes;
    if (failures_.first.empty()) failures_.first = absl::StrCat("process ", pid, ": ", why);
    return true;
  }

  void AddProcessError(const AllocationPolicy& policy) {
    if (failures_.processes == 0) return;
    std::string text = Printable(failures_.first);
    if (failures_.processes > 1) absl::StrAppend(&text, ", and ", failures_.processes - 1, " more");
    report.errors.push_back({policy.metadata.name, "", "process", std::move(text)});
  }

  const IsStillTarget& is_still_target_;
  const absl::Duration confirm_after_;
  Pacer& pacer_;
  const absl::StatusOr<CgroupHierarchy> hierarchy_;
  ScanOptions options_;
  Failures failures_;  // of the policy that is being searched for
};

}  // namespace

std::map<std::string, std::vector<std::string>> WatchedFiles(const SecretTargets& targets) {
  std::map<std::string, std::vector<std::string>> files;
  for (const AllocationPolicy& policy : targets.policies->policies) {
    const auto pids = targets.processes.find(policy.metadata.name);
    if (policy.spec.secrets.empty() || pids == targets.processes.end() || pids->second.empty())
      continue;
    files[policy.metadata.name] = policy.spec.secrets;
  }
  return files;
}

absl::StatusOr<SecretReport> CheckSecrets(const SecretTargets& targets,
                                          const IsStillTarget& is_still_target,
                                          absl::Duration confirm_after, Pacer& pacer) {
  absl::Cleanup wipe = [] { WipeDeadStack(); };
  const absl::Time start = absl::Now();
  Check check(is_still_target, confirm_after, pacer);
  const auto watched = WatchedFiles(targets);
  for (const AllocationPolicy& policy : targets.policies->policies) {
    if (watched.count(policy.metadata.name) == 0) continue;
    const absl::Status status =
        check.SearchPolicy(policy, targets.processes.at(policy.metadata.name));
    if (!status.ok()) return status;
  }
  check.report.checked = absl::Now();
  check.report.took = check.report.checked - start;
  return std::move(check.report);
}

}  // namespace pagewarden
