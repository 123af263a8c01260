// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/reasons/setup.h"

namespace pagewarden {
namespace {

constexpr char kPrefix[] = "pagewarden-reasons-";
constexpr char kOwnMount[] = "/tmp/pagewarden-reasons-memory";  // where nobody mounted it

// Where the v1 memory controller is mounted; empty: nowhere.
std::string FindMount() {
  std::ifstream mounts("/proc/self/mounts");
  std::string line;
  while (std::getline(mounts, line)) {
    std::istringstream fields(line);
    std::string device, directory, type, options;
    fields >> device >> directory >> type >> options;
    if (type == "cgroup" && ("," + options + ",").find(",memory,") != std::string::npos) {
      return directory;
    }
  }
  return "";
}

std::string NameIn(const std::string& root, pid_t pid) {
  return root + "/" + kPrefix + std::to_string(pid);
}

std::string MountIt() {
  mkdir(kOwnMount, 0700);
  if (mount("memory", kOwnMount, "cgroup", 0, "memory") == 0) return kOwnMount;
  rmdir(kOwnMount);
  return "";
}

bool Write(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  return done;
}

}  // namespace

std::string EnterFullMemoryCgroup(uint64_t limit) {
  std::string root = FindMount();
  if (root.empty()) root = MountIt();
  if (root.empty()) return "no v1 memory controller: v2 kills instead of refusing";
  const std::string directory = NameIn(root, getpid());
  if (mkdir(directory.c_str(), 0700) != 0) return "no cgroup can be made";
  if (!Write(directory + "/memory.limit_in_bytes", std::to_string(limit)) ||
      !Write(directory + "/memory.oom_control", "1") ||
      !Write(directory + "/cgroup.procs", std::to_string(getpid()))) {
    return "the memory cgroup cannot be set up";
  }
  return "";
}

void RemoveMemoryCgroupOf(pid_t pid) {
  const std::string root = FindMount();
  if (root.empty()) return;
  const std::string directory = NameIn(root, pid);
  // The kernel may need a moment after the last process ended.
  for (int tries = 0; tries < 100 && rmdir(directory.c_str()) != 0 && errno == EBUSY; ++tries) {
    usleep(10'000);
  }
  if (root == kOwnMount && umount(kOwnMount) == 0) rmdir(kOwnMount);
}

}  // namespace pagewarden
