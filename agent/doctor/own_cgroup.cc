// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/own_cgroup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/base/files.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxProcsBytes = 1 << 20;
constexpr int kMaxRounds = 10;  // processes may fork while they are moved

void MoveAll(const std::string& from, const std::string& to) {
  const std::string pids = ReadBoundedFile(from, kMaxProcsBytes).value_or("");
  for (absl::string_view pid : absl::StrSplit(pids, '\n', absl::SkipEmpty())) {
    std::ofstream(to) << pid;
  }
}

}  // namespace

absl::StatusOr<OwnCgroup> OwnCgroup::Make(const CgroupHierarchy& hierarchy) {
  const auto path = hierarchy.PathOf(getpid());
  if (!path.ok()) return path.status();
  const std::string above = hierarchy.DirectoryOf(*path);
  if (above.empty()) return absl::NotFoundError("its cgroup is not below the mount");
  const std::string directory = absl::StrCat(above, "/pagewarden-doctor-", getpid());
  if (mkdir(directory.c_str(), 0755) != 0) return ErrnoStatus(errno, directory);
  struct stat info;
  if (stat(directory.c_str(), &info) != 0) return ErrnoStatus(errno, directory);
  return OwnCgroup(directory, info.st_ino);
}

OwnCgroup::OwnCgroup(OwnCgroup&& other) noexcept
    : directory_(std::exchange(other.directory_, "")), id_(other.id_) {}

OwnCgroup::~OwnCgroup() {
  if (directory_.empty()) return;
  const std::string above = directory_.substr(0, directory_.rfind('/'));
  for (int round = 0; round < kMaxRounds && rmdir(directory_.c_str()) != 0; ++round) {
    MoveAll(procs_file(), absl::StrCat(above, "/cgroup.procs"));
    usleep(1000);
  }
}

}  // namespace pagewarden
