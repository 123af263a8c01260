// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroup/path_cache.h"

#include <utility>

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

absl::string_view CgroupPathCache::Find(uint64_t id, pid_t pid) {
  if (hierarchy_ == nullptr) return "/";
  auto known = paths_.find(id);
  if (known == paths_.end() && !walked_this_round_) {
    Walk().IgnoreError();  // the process itself is asked below
    known = paths_.find(id);
  }
  if (known != paths_.end()) return known->second;
  outside_ = hierarchy_->PathOf(pid).value_or("");
  return outside_;
}

}  // namespace pagewarden
