// SPDX-License-Identifier: Apache-2.0
// Tells that something happened in directories, or to them: inotify(7) on the directories
// and on all above them, so that one that appears later, is swapped by a link (as of a
// ConfigMap) or is removed and made again is noticed.
//
//   auto watch = DirectoryWatch::Open();
//   watch->Arm({"/etc/pagewarden/policy.d"}, {"/run/pagewarden/mode"});
//   if (watch->Drain()) { watch->Arm(…); …look again… }
//
// A hint, not a proof: what a link in another directory leads to may change unseen, and
// some file systems tell nothing.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/base/unique_fd.h"

namespace pagewarden {

// Not thread-safe.
class DirectoryWatch {
 public:
  // Anew for what is there now: all of `directories`, and `files` by name. Absolute paths.
  // Look at the directories after this, not before, and nothing is missed. The error is of
  // inotify itself (limits of the user); no hint comes then.
  absl::Status Arm(const std::vector<std::string>& directories,
                   const std::vector<std::string>& files);

  int fd() const { return fd_.get(); }  // for poll(2); -1: not armed

  // Reads all that waits; whether any of it is about what is watched. Does not block.
  bool Drain();

 private:
  struct Interest {
    bool all = false;  // a policy directory: any name
    std::set<std::string> names;
  };

  void Watch(const std::string& directory, bool all, const std::string& name);
  void WatchAbove(const std::string& path);

  UniqueFd fd_;
  std::map<int, Interest> interests_;  // by watch descriptor
};

}  // namespace pagewarden
