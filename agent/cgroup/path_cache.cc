// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroup/path_cache.h"

#include <sys/stat.h>

#include <utility>

#include "absl/strings/match.h"

namespace pagewarden {
namespace {

constexpr absl::Duration kLifetime = absl::Minutes(1);

}  // namespace

absl::Status CgroupPathCache::Walk() {
  walked_this_round_ = true;
  auto paths = hierarchy_->PathsById();
  if (!paths.ok()) return paths.status();
  paths_ = *std::move(paths);
  return absl::OkStatus();
}

absl::Status CgroupPathCache::StartRound(absl::Time now) {
  walked_this_round_ = false;
  if (hierarchy_ == nullptr || now - walked_ < kLifetime) return absl::OkStatus();
  walked_ = now;
  return Walk();
}

// No walk finds it: outside of what is mounted, or of the agent's cgroup namespace.
bool CgroupPathCache::IsOutside(const std::string& path) const {
  return !path.empty() && (hierarchy_->DirectoryOf(path).empty() || absl::StartsWith(path, "/.."));
}

bool CgroupPathCache::IsOf(const std::string& path, uint64_t id) const {
  const std::string directory = hierarchy_->DirectoryOf(path);
  struct stat info;
  return !directory.empty() && stat(directory.c_str(), &info) == 0 && info.st_ino == id;
}

absl::string_view CgroupPathCache::Find(uint64_t id, pid_t pid) {
  if (hierarchy_ == nullptr) return "/";
  auto known = paths_.find(id);
  if (known != paths_.end()) return known->second;
  asked_ = hierarchy_->PathOf(pid).value_or("");
  if (IsOf(asked_, id)) return paths_[id] = asked_;
  if (IsOutside(asked_)) return asked_;
  if (!walked_this_round_) Walk().IgnoreError();
  known = paths_.find(id);
  return known == paths_.end() ? absl::string_view(asked_) : known->second;
}

}  // namespace pagewarden
