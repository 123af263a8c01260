// SPDX-License-Identifier: Apache-2.0
// Paths of cgroups by the inode of their directories, kept from one look to the next. A
// new one is asked of the process that is in it; the mount is walked now and then.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/cgroup/hierarchy.h"

namespace pagewarden {

// Not thread-safe.
class CgroupPathCache {
 public:
  // `hierarchy` outlives this. Null: every path is "/".
  explicit CgroupPathCache(const CgroupHierarchy* hierarchy) : hierarchy_(hierarchy) {}

  // Call before each round of lookups. Forgets everything now and then: a cgroup of
  // v1 can be renamed, and those that are gone take room. Errors of PathsById.
  absl::Status StartRound(absl::Time now);

  // The path of cgroup `id`, in which `pid` was a moment ago. Empty: that process is gone
  // and the cgroup too. Valid until the next call. A new id costs two system calls; a walk,
  // once a round, where the process has moved on meanwhile.
  absl::string_view Find(uint64_t id, pid_t pid);

 private:
  absl::Status Walk();
  bool IsOutside(const std::string& path) const;
  // Whether the cgroup at `path`, below the mount, is that one.
  bool IsOf(const std::string& path, uint64_t id) const;

  const CgroupHierarchy* hierarchy_;
  absl::flat_hash_map<uint64_t, std::string> paths_;
  absl::Time walked_ = absl::InfinitePast();
  bool walked_this_round_ = false;
  std::string asked_;  // of the last process that was asked
};

}  // namespace pagewarden
