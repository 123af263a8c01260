// SPDX-License-Identifier: Apache-2.0
// A cgroup below this process's own, for as long as a command is watched: an attempt
// carries the id of its cgroup, so that processes that have ended are known, too. No
// controller is turned on, and the limits of those above go on to count.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "agent/cgroup/hierarchy.h"

namespace pagewarden {

class OwnCgroup {
 public:
  // PermissionDenied and others: it cannot be made here.
  static absl::StatusOr<OwnCgroup> Make(const CgroupHierarchy& hierarchy);

  OwnCgroup(OwnCgroup&& other) noexcept;
  OwnCgroup& operator=(OwnCgroup&&) = delete;
  // Moves what is left in it to the cgroup above, and removes it.
  ~OwnCgroup();

  uint64_t id() const { return id_; }
  // To write "0" into, by the process that is to be in it.
  std::string procs_file() const { return directory_ + "/cgroup.procs"; }

 private:
  OwnCgroup(std::string directory, uint64_t id) : directory_(std::move(directory)), id_(id) {}
  std::string directory_;
  uint64_t id_;
};

}  // namespace pagewarden
