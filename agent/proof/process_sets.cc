// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/process_sets.h"

#include <mntent.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <unordered_map>

#include "absl/status/status.h"
#include "agent/proc/status.h"
#include "agent/proof/process_stat.h"

namespace pagewarden {
namespace {

namespace fs = std::filesystem;

// 0 when the process is gone.
pid_t ParentOf(pid_t pid) {
  const auto stat = ReadProcessStat(pid);
  return stat.ok() ? stat->parent : 0;
}

std::vector<fs::path> CgroupMounts() {
  std::vector<fs::path> mounts;
  FILE* table = setmntent("/proc/self/mounts", "re");
  if (table == nullptr) return mounts;
  while (const mntent* entry = getmntent(table)) {
    const std::string type = entry->mnt_type;
    if (type == "cgroup" || type == "cgroup2") mounts.emplace_back(entry->mnt_dir);
  }
  endmntent(table);
  return mounts;
}

bool IsCgroup(const fs::path& directory) {
  std::error_code ignored;
  return fs::exists(directory / "cgroup.procs", ignored);
}

void AddProcesses(const fs::path& directory, std::set<pid_t>& pids) {
  std::ifstream procs(directory / "cgroup.procs");
  for (pid_t pid; procs >> pid;) {
    if (pid > 0) pids.insert(pid);  // 0: in another pid namespace
  }
}

void AddSubtree(const fs::path& directory, std::set<pid_t>& pids) {
  AddProcesses(directory, pids);
  std::error_code error;
  const auto options = fs::directory_options::skip_permission_denied;
  fs::recursive_directory_iterator entry(directory, options, error);
  while (!error && entry != fs::recursive_directory_iterator()) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) AddProcesses(entry->path(), pids);
    entry.increment(error);
  }
}

}  // namespace

absl::StatusOr<std::vector<pid_t>> Descendants(const std::vector<pid_t>& roots) {
  const auto all = ListProcesses();
  if (!all.ok()) return all.status();
  std::unordered_map<pid_t, std::vector<pid_t>> children;
  for (const pid_t pid : *all) children[ParentOf(pid)].push_back(pid);
  std::set<pid_t> found;
  std::vector<pid_t> open(roots);
  while (!open.empty()) {
    const pid_t parent = open.back();
    open.pop_back();
    for (const pid_t child : children[parent]) {
      if (found.insert(child).second) open.push_back(child);
    }
  }
  for (const pid_t root : roots) found.erase(root);
  return std::vector<pid_t>(found.begin(), found.end());
}

absl::StatusOr<std::vector<pid_t>> CgroupProcesses(const std::string& path) {
  std::vector<fs::path> directories;
  if (fs::path(path).is_absolute() && IsCgroup(path)) {
    directories.emplace_back(path);
  } else {
    for (const fs::path& mount : CgroupMounts()) {
      const fs::path directory = mount / fs::path(path).relative_path();
      if (IsCgroup(directory)) directories.push_back(directory);
    }
  }
  if (directories.empty()) {
    return absl::NotFoundError("no such cgroup in any mounted hierarchy");
  }
  std::set<pid_t> pids;
  for (const fs::path& directory : directories) AddSubtree(directory, pids);
  return std::vector<pid_t>(pids.begin(), pids.end());
}

}  // namespace pagewarden
