// SPDX-License-Identifier: Apache-2.0
// A cgroup of the test's own in the hierarchy that the agent groups by; removed at
// the end, when its processes have ended.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "agent/cgroup/hierarchy.h"

namespace pagewarden {

class ScratchCgroup {
 public:
  ScratchCgroup(const CgroupHierarchy& hierarchy, const std::string& name)
      : path_(absl::StrCat("/pagewarden-", name, "-", getpid())),
        directory_(hierarchy.DirectoryOf(path_)) {
    made_ = mkdir(directory_.c_str(), 0755) == 0;
  }
  ScratchCgroup(const ScratchCgroup&) = delete;
  ScratchCgroup& operator=(const ScratchCgroup&) = delete;
  ~ScratchCgroup() { Remove(); }

  bool made() const { return made_; }
  const std::string& path() const { return path_; }
  uint64_t id() const {
    struct stat info;
    return stat(directory_.c_str(), &info) == 0 ? info.st_ino : 0;
  }
  bool Add(pid_t pid) const {
    std::ofstream file(absl::StrCat(directory_, "/cgroup.procs"));
    file << pid << std::flush;
    return file.good();
  }
  // The kernel may need a moment after the last process ended.
  bool Remove() {
    for (int attempt = 0; made_ && attempt < 100; ++attempt) {
      made_ = rmdir(directory_.c_str()) != 0;
      if (made_) usleep(10'000);
    }
    return !made_;
  }

 private:
  std::string path_;
  std::string directory_;
  bool made_ = false;
};

}  // namespace pagewarden
