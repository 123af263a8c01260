// SPDX-License-Identifier: Apache-2.0
// A tree of kCgroups nested cgroups in the hierarchy that the audit groups by, and the
// janitor who removes it, its processes and their segments, whatever becomes of the driver.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/truth/board.h"

namespace truth {

struct CgroupTree {
  std::vector<std::string> paths;        // as /proc/PID/cgroup shows them; [0] is the top
  std::vector<std::string> directories;  // parents before children
};

// The parent of number `i` > 0 is (i - 1) / 3: four levels.
absl::StatusOr<CgroupTree> PlanCgroupTree();

// Makes the directories and opens their cgroup.procs for every worker to come.
absl::Status MakeCgroupTree(const CgroupTree& tree, Board& board);

// A process that waits for the end of its parent, then kills what is in the tree, removes
// the tree and the segments of `board`. Started before anything is made.
class Janitor {
 public:
  static absl::StatusOr<Janitor> Start(const CgroupTree& tree, const Board& board);

  // Lets it work now, and reaps meanwhile. False: something was left.
  bool Finish();

 private:
  Janitor(pid_t pid, int alive_fd) : pid_(pid), alive_fd_(alive_fd) {}

  pid_t pid_;
  int alive_fd_;
};

}  // namespace truth
