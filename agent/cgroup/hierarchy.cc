// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroup/hierarchy.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/cgroup/mountinfo.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxTextBytes = 1 << 20;
constexpr size_t kMaxCgroups = 1 << 17;

// v1 memory before v2; of equals the mount that shows most of the tree.
const CgroupMount* Choose(const std::vector<CgroupMount>& mounts) {
  const CgroupMount* best = nullptr;
  for (const CgroupMount& mount : mounts) {
    if (!mount.v2 && !mount.memory) continue;
    if (best == nullptr || mount.memory > best->memory ||
        (mount.memory == best->memory && mount.root.size() < best->root.size())) {
      best = &mount;
    }
  }
  return best;
}

// One line of /proc/PID/cgroup: hierarchy-id:controllers:path
bool MatchesHierarchy(const std::vector<absl::string_view>& fields, CgroupVersion version) {
  if (fields.size() != 3) return false;
  if (version == CgroupVersion::kV2) return fields[0] == "0" && fields[1].empty();
  const std::vector<absl::string_view> controllers = absl::StrSplit(fields[1], ',');
  return std::find(controllers.begin(), controllers.end(), "memory") != controllers.end();
}

void AppendSubdirectories(const std::string& directory, std::vector<std::string>& result) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::directory_iterator entry(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (!entry->is_symlink(ignored) && entry->is_directory(ignored)) {
      result.push_back(entry->path().string());
    }
  }
}

}  // namespace

absl::StatusOr<CgroupHierarchy> CgroupHierarchy::Find(const std::string& root) {
  auto text = ReadBoundedFile(absl::StrCat(root, "/proc/self/mountinfo"), 16 * kMaxTextBytes);
  if (!text.ok()) return text.status();
  const std::vector<CgroupMount> mounts = ParseCgroupMounts(*text);
  const CgroupMount* mount = Choose(mounts);
  if (mount == nullptr) {
    return absl::NotFoundError("no cgroup v2 and no cgroup v1 memory hierarchy is mounted");
  }
  CgroupHierarchy hierarchy;
  hierarchy.root_ = root;
  hierarchy.version_ = mount->v2 ? CgroupVersion::kV2 : CgroupVersion::kV1;
  hierarchy.mount_point_ = mount->mount_point;
  hierarchy.mounted_path_ = mount->root == "/" ? "" : mount->root;
  return hierarchy;
}

absl::StatusOr<std::string> CgroupHierarchy::PathOf(pid_t pid) const {
  auto text = ReadBoundedFile(absl::StrCat(root_, "/proc/", pid, "/cgroup"), kMaxTextBytes);
  if (!text.ok()) return text.status();
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (!MatchesHierarchy(fields, version_)) continue;
    return std::string(absl::StripSuffix(fields[2], " (deleted)"));
  }
  return absl::NotFoundError(absl::StrCat("process ", pid, " is in no memory cgroup"));
}

absl::StatusOr<absl::flat_hash_map<uint64_t, std::string>> CgroupHierarchy::PathsById() const {
  const std::string top = absl::StrCat(root_, mount_point_);
  absl::flat_hash_map<uint64_t, std::string> paths;
  std::vector<std::string> pending = {top};
  while (!pending.empty()) {
    const std::string directory = std::move(pending.back());
    pending.pop_back();
    struct stat info;
    if (lstat(directory.c_str(), &info) != 0) continue;  // removed meanwhile
    const std::string path = absl::StrCat(mounted_path_, directory.substr(top.size()));
    paths[info.st_ino] = path.empty() ? "/" : path;
    AppendSubdirectories(directory, pending);
    if (paths.size() + pending.size() > kMaxCgroups) {
      return absl::ResourceExhaustedError(absl::StrCat(top, ": too many cgroups"));
    }
  }
  return paths;
}

std::string CgroupHierarchy::DirectoryOf(absl::string_view path) const {
  absl::string_view below = path;
  if (!absl::ConsumePrefix(&below, mounted_path_)) return "";
  if (!below.empty() && below[0] != '/') return "";
  if (below == "/") below = "";
  return absl::StrCat(root_, mount_point_, below);
}

Unevictable CgroupHierarchy::UnevictableOf(absl::string_view path) const {
  const std::string directory = DirectoryOf(path);
  if (directory.empty()) return {};
  auto text = ReadBoundedFile(absl::StrCat(directory, "/memory.stat"), kMaxTextBytes);
  if (!text.ok()) return {};
  Unevictable result;
  std::optional<uint64_t>& plain = version_ == CgroupVersion::kV1 ? result.own : result.subtree;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    uint64_t bytes = 0;
    if (absl::ConsumePrefix(&line, "unevictable ") && absl::SimpleAtoi(line, &bytes)) {
      plain = bytes;
    } else if (absl::ConsumePrefix(&line, "total_unevictable ") && absl::SimpleAtoi(line, &bytes)) {
      result.subtree = bytes;
    }
  }
  return result;
}

}  // namespace pagewarden
